"""What lies in `deploy/` is valid, and the small image has all that the detector needs."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from importlib import metadata
from pathlib import Path

import pytest

from maskage.formats.bundle import ModelBundle

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "detector.service"
DOCKERFILE = DEPLOY / "Dockerfile"
MAIN = "import sys; from detector.cli import main; sys.exit(main(sys.argv[1:]))"


def run_tool(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)


def unit_values(key: str) -> list[str]:
    found = re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.MULTILINE)
    return [str(each) for each in found]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_systemd_takes_the_unit_and_calls_it_hardened(tmp_path: Path) -> None:
    # The program lies elsewhere on this machine.
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/maskage/.venv/bin/detector", "/bin/true"))
    verified = run_tool("systemd-analyze", "verify", str(unit))
    assert (verified.returncode, verified.stderr) == (0, "")
    security = run_tool(
        "systemd-analyze", "security", "--offline=true", "--threshold=30", str(unit)
    )
    assert security.returncode == 0, security.stdout[-400:]


def test_the_unit_runs_as_nobody_with_cameras_alone_and_holds_no_secret() -> None:
    assert unit_values("DynamicUser") == ["yes"]
    assert unit_values("DevicePolicy") == ["closed"]
    assert unit_values("DeviceAllow") == ["char-video4linux rw"]
    assert unit_values("CapabilityBoundingSet") == [""]
    assert not [v for v in unit_values("Environment") if "PASSWORD" in v or "TOKEN" in v]


def test_a_service_that_is_stopped_has_not_failed(bundle: ModelBundle, tmp_path: Path) -> None:
    words = ["serve", "--no-camera", "--port", "0", "--model", str(bundle.folder)]
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, *words],
        cwd=ROOT,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as service:
        assert service.stdout is not None
        assert any("Open http" in line for line in service.stdout)
        service.terminate()
        assert unit_values("SuccessExitStatus") == [str(service.wait(30))]


@pytest.mark.parametrize("words", [unit_values("ExecStart")[0].split()[1:]])
def test_the_unit_s_command_is_one_of_ours(words: list[str]) -> None:
    from detector.live.command import SERVE

    command, *options = [word for word in words if not word.startswith("$")]
    assert command == SERVE.name
    SERVE.make_parser("detector serve").parse_args(options)


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, in order."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in found]


def test_the_dockerfile_is_in_order() -> None:
    known = {"FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "EXPOSE", "STOPSIGNAL",
             "HEALTHCHECK", "ENTRYPOINT", "CMD"}  # fmt: skip
    steps = instructions()
    assert {name for name, _ in steps} <= known
    assert steps[0][0] == "FROM"
    for name, rest in steps:
        if name == "FROM":
            assert re.match(r"python:3\.\d+-slim\b", rest)
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
        if name in ("ENTRYPOINT", "CMD"):
            assert json.loads(rest)
        assert "PASSWORD" not in rest
        assert "TOKEN" not in rest
    # The last user is not root, and nothing after it needs to be.
    users = [at for at, (name, _) in enumerate(steps) if name == "USER"]
    assert steps[users[-1]][1].split(":")[0] not in ("0", "root")
    assert not [name for name, _ in steps[users[-1] :] if name == "RUN"]


def test_the_image_s_command_is_one_of_ours() -> None:
    from detector.live.command import SERVE

    steps = dict(instructions())
    assert json.loads(steps["ENTRYPOINT"]) == ["detector"]
    command, *options = json.loads(steps["CMD"])
    assert command == SERVE.name
    SERVE.make_parser("detector serve").parse_args(options)


def test_all_that_is_copied_is_let_in() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    assert copied <= let_in


def has_builder() -> bool:
    return shutil.which("docker") is not None and run_tool("docker", "info").returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not has_builder(), reason="no container can be built here")
def test_the_image_is_built_and_runs_without_rights() -> None:
    built = run_tool("docker", "build", "-q", "-f", str(DOCKERFILE), str(ROOT))
    assert built.returncode == 0, built.stderr[-2000:]
    image = built.stdout.strip()
    version = run_tool("docker", "run", "--rm", image, "--version")
    assert version.returncode == 0, version.stderr
    user = run_tool("docker", "run", "--rm", "--entrypoint", "id", image, "-u")
    assert user.stdout.strip() == "10001"


def packages_of_the_image() -> set[str]:
    """The packages of `deploy/requirements.txt`, and those that they need, by normal names."""
    lines = (DEPLOY / "requirements.txt").read_text().splitlines()
    left = [line for line in lines if line and not line.startswith("#")]
    found: set[str] = set()
    while left:
        name = normal_name(left.pop())
        if name in found:
            continue
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            # For another system, or another Python.
            continue
        found.add(name)
        left += [each for each in needed if "extra ==" not in each]
    return found


def normal_name(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_the_detector_runs_with_the_packages_of_the_image_alone(
    bundle: ModelBundle, tmp_path: Path
) -> None:
    wanted = packages_of_the_image()
    assert "tensorflow" not in wanted
    barred = sorted(
        module
        for module, packages in metadata.packages_distributions().items()
        if not {normal_name(each) for each in packages} & wanted | {"maskage"} & set(packages)
        if module.isidentifier() and module not in ("pip", "setuptools", "pkg_resources")
    )
    assert "tensorflow" in barred
    script = tmp_path / "barred.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys
            for name in {barred!r}:
                sys.modules[name] = None
            # What the server and `--lan` load, which `run` does not.
            import detector.web.access.protocol
            from datetime import datetime, UTC
            from pathlib import Path
            from detector.web.lan.addresses import find_host_names
            from detector.web.lan.certificate import keep_certificate
            from detector.web.lan.invitation import draw_qr_code
            keep_certificate(Path({str(tmp_path)!r}, "own.pem"), find_host_names(),
                             datetime.now(UTC))
            draw_qr_code("https://localhost/")
            from detector.cli import main
            sys.exit(main(["run", "demo", "--frames", "3", "--json", "-", "--model",
                           {str(bundle.folder)!r}]))
            """
        )
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stdout.splitlines() if line.startswith("{")]) == 3
