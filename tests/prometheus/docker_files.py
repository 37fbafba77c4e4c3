"""What can be said of the files of docker/ without an engine: that what they name is there, that the image holds what the
binary needs, that the configuration is a good one, that the steps of the build go on from what was copied before them."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

try:
    import yaml
except ImportError:  # its package is no part of a Debian; then YAML is read by eye
    yaml = None

BASE_PACKAGES = {"libc6", "libgcc-s1", "libstdc++6"}  # libc6 and libgcc-s1 are in every Debian image


def instructions(text):
    """(stage, instruction, rest) with continued lines joined."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.M))
    stage, found = "", []
    for line in filter(str.strip, joined.splitlines()):
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stage = rest.split()[-1]
        found.append((stage, word, " ".join(rest.split())))
    return found


def dockerfile(root, binary):
    faults, stages = [], set()
    text = (root / "docker" / "Dockerfile").read_text()
    presets = {each["name"] for each in json.loads((root / "CMakePresets.json").read_text())["configurePresets"]}
    seen = {}
    for stage, word, rest in instructions(text):
        seen.setdefault((stage, word), []).append(rest)
        if word == "FROM":
            base = rest.split()[0]
            if base not in stages and not re.fullmatch(r"debian:bookworm-slim", base):
                faults.append(f"FROM {base}: neither a stage nor the image that everything is tested on")
            stages.add(stage)
        elif word == "COPY" and not rest.startswith("--from="):
            faults += [f"COPY {name}: not there" for name in rest.split()[:-1] if not (root / name).exists()]
        elif word == "COPY" and rest.split()[0].removeprefix("--from=") not in stages:
            faults.append(f"COPY {rest}: no such stage")
        elif word == "RUN":
            faults += [f"RUN {script}: not there" for script in re.findall(r"scripts/\w+\.sh", rest) if not (root / script).exists()]
            faults += [f"RUN: no preset {name}" for name in re.findall(r"--preset (\w+)", rest) if name not in presets]
    if not {"build", "test", "runtime"} <= stages:
        faults.append(f"stages: {sorted(stages)}")
    run = " ".join(seen.get(("runtime", "RUN"), []))
    installed = set(re.search(r"--no-install-recommends (.*?) &&", run).group(1).split())
    faults += [f"the binary needs {each}, which is not installed" for each in libraries(binary) - installed - BASE_PACKAGES]
    user = seen.get(("runtime", "USER"), ["0"])[-1]
    faults += ["it runs as root"] if user in ("0", "root") else []
    for word in ("HEALTHCHECK", "ENTRYPOINT", "CMD"):
        commands = seen.get(("runtime", word), [""])[-1]
        if "[" not in commands:
            faults.append(f"{word} needs a shell")
    health = json.loads(re.search(r"CMD (\[.*\])", seen[("runtime", "HEALTHCHECK")][-1]).group(1))
    command = json.loads(seen[("runtime", "CMD")][-1])
    for arguments in (health[1:], command[:1]):
        if subprocess.run([binary, *arguments, "--help"], capture_output=True).returncode != 0:
            faults.append(f"tollgate {' '.join(arguments)}: no such command")
    return faults


def libraries(binary):
    """Debian packages of the shared libraries that it is linked with."""
    linked = re.findall(r"=> (/\S+)", subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout)
    packages = set()
    for path in linked:
        for name in (path, path.removeprefix("/usr"), f"/usr{path}"):
            found = subprocess.run(["dpkg-query", "--search", name], capture_output=True, text=True)
            if found.returncode == 0:
                packages.add(found.stdout.split(":")[0])
                break
    return packages


def replay(root, whole=False):
    """The build stage in an empty folder that holds what was copied so far, and no history: all of it, or up to the
    compiler. What setup has fetched over the network before is there already."""
    ignored = (root / "docker" / "Dockerfile.dockerignore").read_text().split()
    skip = shutil.ignore_patterns(*(each.removeprefix("**/") for each in ignored))
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        source = Path(folder)
        if (root / "build" / "data").exists():
            shutil.copytree(root / "build" / "data", source / "build" / "data")
        for stage, word, rest in instructions((root / "docker" / "Dockerfile").read_text()):
            if stage != "build" or word not in ("COPY", "RUN"):
                continue
            if word == "COPY":
                *names, target = rest.split()
                for name in names:
                    if (root / name).is_dir():
                        shutil.copytree(root / name, source / target, ignore=skip, dirs_exist_ok=True)
                    else:
                        (source / target).mkdir(parents=True, exist_ok=True)
                        shutil.copy2(root / name, source / target)
                continue
            if not whole:
                rest = re.sub(r"cmake --build --preset (\w+) --target (\w+)", r"ninja -C build/\1 -n \2", rest)
            done = subprocess.run(["sh", "-ec", rest], cwd=source, capture_output=True, text=True)
            if done.returncode != 0:
                return [f"RUN {rest}: {(done.stdout + done.stderr)[-1500:]}"]
    return []


def load(path, faults):
    if yaml is None:
        faults += [f"{path.name}:{n}: a tab" for n, line in enumerate(path.read_text().split("\n"), 1) if "\t" in line]
        return None
    try:
        return yaml.safe_load(path.read_text())
    except yaml.YAMLError as problem:
        faults.append(f"{path.name}: {problem}")
        return None


def compose(root):
    faults = []
    folder = root / "docker"
    found = load(folder / "compose.yaml", faults)
    if found is None:
        return faults
    services, volumes = found["services"], found["volumes"]
    for name, service in services.items():
        if ("image" in service) == ("build" in service):
            faults.append(f"{name}: neither image nor build, or both")
        if ":" not in service.get("image", "x:y") or service.get("image", "").endswith(":latest"):
            faults.append(f"{name}: the image's version is not named")
        for port in service.get("ports", []):
            if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port):
                faults.append(f"{name}: {port} is published beyond loopback")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith(".") and not (folder / source).exists():
                faults.append(f"{name}: {source} is not there")
            if not source.startswith(".") and source not in volumes:
                faults.append(f"{name}: no volume {source}")
        faults += [f"{name}: depends on {each}" for each in service.get("depends_on", {}) if each not in services]
    build = services["tollgate"]["build"]
    if not (folder / build["context"] / build["dockerfile"]).exists():
        faults.append("tollgate: no such Dockerfile")
    told = re.sub(r"#.*", "", (folder / "prometheus" / "prometheus.yml").read_text())
    scraped = re.findall(r'targets: \["([\w.-]+):(\d+)"\]', told)
    faults += [f"prometheus.yml: {host} is no service" for host, _ in scraped if host not in (*services, "localhost")]
    port = re.search(r'metrics: \{listen: ":(\d+)"\}', (folder / "routes.yaml").read_text()).group(1)
    faults += [] if ("tollgate", port) in scraped else ["Prometheus asks another port than the gateway listens on"]
    keys = set(re.findall(r":-([\w-]+)\}", (folder / "routes.yaml").read_text()))
    used = set(re.findall(r"demo-key[\w-]+", str(services["clients"]["command"])))
    return faults + [f"clients: {key} is nobody's" for key in used - keys]


def provisioning(root):
    faults = []
    folder = root / "docker" / "grafana" / "provisioning"
    sources = load(folder / "datasources" / "prometheus.yaml", faults)
    boards = load(folder / "dashboards" / "tollgate.yaml", faults)
    stack = load(root / "docker" / "compose.yaml", faults)
    if None in (sources, boards, stack):
        return faults
    for source in sources["datasources"]:
        host = re.fullmatch(r"http://([\w-]+):(\d+)", source["url"])
        if source["type"] != "prometheus" or not host or host.group(1) not in stack["services"]:
            faults.append(f"data source {source['name']}: {source['url']}")
    mounted = {volume.split(":")[1] for volume in stack["services"]["grafana"]["volumes"]}
    for provider in boards["providers"]:
        if provider["type"] != "file" or provider["options"]["path"] not in mounted:
            faults.append(f"provider {provider['name']}: {provider['options']['path']} is not mounted")
    if "/etc/grafana/provisioning" not in mounted:
        faults.append("the provisioning is not mounted")
    return faults


def configuration(root, binary):
    done = subprocess.run([binary, "check", root / "docker" / "routes.yaml"], capture_output=True, text=True)
    return [] if done.returncode == 0 else [done.stderr[:1000]]
