"""Spellings of addresses that a gateway must not be talked into dialling: this machine, its neighbours, clouds'
metadata, and what parsers of URLs disagree about."""

HOSTS = (
    # this machine
    "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7F.0x0.0x0.0x1",
    "0x7f.1", "0177.0.0.1", "0177.0.0.01", "017700000001", "00000177.0.0.1", "127.000.000.001", "127.0.0.1.",
    "127.0.0.1..", "0", "0.0.0.0", "0x0", "00", "localhost", "LOCALHOST", "localhost.", "localhost.localdomain",
    "ip6-localhost", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::1]", "[::1%25lo]", "[::1%lo]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "::1",
    # names and digits of other alphabets
    "①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "xn--lclhost-6fg3b", "ｌｏｃａｌｈｏｓｔ",
    # clouds' metadata
    "169.254.169.254", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376",
    "025177524776", "169.16689662", "169.254.43518", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]",
    "[fd00:ec2::254]", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "metadata.google.internal",
    "metadata", "metadata.google.internal.", "instance-data", "metadata.azure.internal", "kubernetes.default.svc",
    # neighbours
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
    "[fe80::1%25lo]", "[fc00::1]", "[ff02::1]", "012.0.0.1",
    # what is the host of it?
    "api.openai.com@127.0.0.1", "user:password@127.0.0.1", "127.0.0.1#@api.openai.com", "api.openai.com#@127.0.0.1",
    "127.0.0.1\\@api.openai.com", "api.openai.com\\@127.0.0.1", "127.0.0.1?@api.openai.com", "127.0.0.1;api.openai.com",
    "127.0.0.1%00.api.openai.com", "127.0.0.1%23.api.openai.com", "127.0.0.1%2f.api.openai.com",
    "127.0.0.1%40api.openai.com", "%31%32%37.0.0.1", "127.0.0.1&api.openai.com", "127.0.0.1,api.openai.com",
    "api.openai.com:80@127.0.0.1", "1.1.1.1 &@127.0.0.1#@3.3.3.3", "127.0.0.1\t", "api.openai.com@@127.0.0.1",
    # names that lead here, today or at the second look
    "127.0.0.1.nip.io", "localtest.me", "7f000001.a9fea9fe.rbndr.us", "spoofed.burpcollaborator.net", "lvh.me",
)  # fmt: skip
WHOLE = (  # where more than the host is spelled; {port} is the one that listens
    "file:///etc/passwd", "unix:///run/docker.sock", "unix:/run/docker.sock", "http+unix://%2Frun%2Fdocker.sock/info",
    "gopher://127.0.0.1:{port}/_GET%20/", "dict://127.0.0.1:{port}/info", "ftp://127.0.0.1:{port}/",
    "ldap://127.0.0.1:{port}/", "tftp://127.0.0.1:{port}/", "sftp://127.0.0.1:{port}/",
    "jar:http://127.0.0.1:{port}/!/", "netdoc:///etc/passwd", "data:text/plain,hi", "//127.0.0.1:{port}/v1",
    "///127.0.0.1:{port}/v1", "\\\\127.0.0.1:{port}\\v1", "/\\127.0.0.1:{port}/v1", "http:127.0.0.1:{port}",
    "http:/127.0.0.1:{port}", "http:///127.0.0.1:{port}", "HtTp://127.0.0.1:{port}/v1", "https://127.0.0.1:{port}/v1",
    "ws://127.0.0.1:{port}/", "http://127.0.0.1:{port}:80/", "http://127.0.0.1:0/", "http://127.0.0.1:65536/",
    "http://127.0.0.1:{port}/v1/../..", " http://127.0.0.1:{port}/", "127.0.0.1:{port}",
)  # fmt: skip
LEAST = 80


def spellings(port):
    """Addresses, each with a scheme where it has a host alone; those that hold a port lead to the one that listens."""
    urls = []
    for host in HOSTS:
        urls.append(f"http://{host}:{port}/v1")
    urls += [whole.replace("{port}", str(port)) for whole in WHOLE]
    assert len(set(urls)) == len(urls) >= LEAST, "too few spellings, or one of them twice"
    return urls


def bare_hosts(port):
    return [f"{host}:{port}" for host in HOSTS]
