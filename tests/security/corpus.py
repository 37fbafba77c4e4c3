"""Strings that mean something to a database, a shell, a template or a parser, and nothing to a gateway."""

import itertools

OPENINGS = ("", "'", '"', "`", "')", '")', "'))", "\\'", "1'", "%27", "''", "]")
STATEMENTS = (
    " OR 1=1--", " OR '1'='1", " OR 'a'='a' -- -", " OR 1=1#", " OR 1=1/*", "||(SELECT 1)||'",
    " AND 1=2 UNION SELECT NULL--", " UNION SELECT 1,2,3,4,5,6,7,8,9,10--", " UNION ALL SELECT digest FROM api_key--",
    " UNION SELECT sql FROM sqlite_master--", "; DROP TABLE api_key;--", "; DELETE FROM audit;--",
    "; UPDATE api_key SET revoked_at=NULL;--", "; INSERT INTO api_key VALUES(1,2,3,4,5,6,7,8,9,10);--",
    "; ATTACH DATABASE '/tmp/x.db' AS x;--", "; PRAGMA writable_schema=1;--", "; VACUUM INTO '/tmp/x';--",
    " AND (SELECT load_extension('x'))--", " AND randomblob(1000000000)--",
    " AND 1=LIKE('ABCDEFG',UPPER(HEX(RANDOMBLOB(500000000/2))))--", " AND sleep(5)--", "; WAITFOR DELAY '0:0:5'--",
    " AND (SELECT pg_sleep(5))--", " AND extractvalue(1,concat(0x7e,version()))--", " ORDER BY 100--", " HAVING 1=1--",
    " LIKE '%", " GLOB '*", " IN (SELECT tenant FROM api_key)", " COLLATE NOCASE--", "/**/OR/**/1=1", " oR 1=1 -- ",
    " AND CASE WHEN 1=1 THEN 1 ELSE json('x') END--", " AND typeof(1)='integer'--", "-1' OR 1=1", " RETURNING *--",
    " EXCEPT SELECT 1--", " IS NOT NULL--", " BETWEEN 'a' AND 'z'", " AND EXISTS(SELECT 1 FROM audit)--",
)  # fmt: skip
SINGLES = (
    "", " ", "'", '"', "`", "''", '""', "--", "-- -", "#", "/*", "*/", ";", "\\", "\\\\", "%", "_", "%%", "*", "?",
    "?1", ":name", "@name", "$1", "NULL", "null", "undefined", "None", "NaN", "Infinity", "-0", "0x0", "1e309",
    "-9223372036854775809", "18446744073709551616", "{}", "[]", "{{7*7}}", "${7*7}", "<%= 7*7 %>", "#{7*7}",
    "${jndi:ldap://127.0.0.1/x}", "$(id)", "`id`", "|id", ";id", "&& id", "../../../etc/passwd", "..\\..\\x",
    "file:///etc/passwd", "<script>alert(1)</script>", "<!--#exec cmd=\"id\"-->", "<?xml version=\"1.0\"?>", "\x00",
    "a\x00b", "'\x00 OR 1=1", "\x00" * 64, "\x01\x02\x03", "\x08", "\x0b\x0c", "\x1b[31m", "\x7f", "\r\n",
    "a\r\nX-Injected: 1", "a\nb", "a\rb", "%0d%0aX-Injected: 1", "%00", "%2527", "%u0027", "\u2028", "\u2029", "\u0085",
    "\u02bc OR 1=1", "＇ OR 1=1", "\u202e", "\ufeff", "\ufffd", "\ud7ff", "é", "日本語", "🦊", "\udcff", "\udcc0\udcaf",
    "\udced\udca0\udc80", "\udcf4\udc90\udc80\udc80", '","admin":true,"x":"', '"}\n{"event":"forged"}',
    "\\u0027 OR 1=1", "\\x27", "\\0", "A" * 255, "A" * 256, "A" * 257, "A" * 513, "A" * 4096, "'" * 1000, "(" * 1000,
    "[" * 1000, '{"a":' * 200, "A" * 20_000, "A" * 70_000, "A" * 1_048_576, "'" * 1_048_576,
)  # fmt: skip
LEAST = 500


def strings():
    made = [opening + statement for opening, statement in itertools.product(OPENINGS, STATEMENTS)]
    found = list(dict.fromkeys([*SINGLES, *made]))
    assert len(found) >= LEAST, len(found)
    return found
