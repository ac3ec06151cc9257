#!/usr/bin/env python3
"""Lists the crates of Cargo.lock for flatpak-builder, which builds without a network.

    packaging/flatpak_sources.py                 writes target/flatpak/cargo-sources.json
    packaging/flatpak_sources.py FILE            writes FILE
    packaging/flatpak_sources.py --test FOLDER   checks the manifest, unpacks the listed crates from Cargo's cache into
                                                 FOLDER as flatpak-builder does, and has Cargo resolve with them alone
"""

import glob
import hashlib
import json
import os
import subprocess
import sys
import tomllib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MANIFEST = os.path.join(ROOT, "packaging/desktop/io.onair.onair.yml")
LIST = os.path.join(ROOT, "target/flatpak/cargo-sources.json")
VENDOR = "cargo/vendor"
CONFIG = f"""[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "{VENDOR}"
"""


def sources():
    with open(os.path.join(ROOT, "Cargo.lock"), "rb") as file:
        packages = tomllib.load(file)["package"]
    listed = []
    for package in packages:
        if "source" not in package:
            continue  # onair itself
        if not package["source"].startswith("registry+https://github.com/rust-lang/crates.io-index"):
            sys.exit(f"{package['name']} is not from crates.io: this script does not know {package['source']}")
        name = f"{package['name']}-{package['version']}"
        checksum = package["checksum"]
        listed.append({
            "type": "archive",
            "archive-type": "tar-gzip",
            "url": f"https://static.crates.io/crates/{package['name']}/{name}.crate",
            "sha256": checksum,
            "dest": f"{VENDOR}/{name}",
        })
        listed.append({
            "type": "inline",
            "contents": json.dumps({"package": checksum, "files": {}}),
            "dest": f"{VENDOR}/{name}",
            "dest-filename": ".cargo-checksum.json",
        })
    listed.append({"type": "inline", "contents": CONFIG, "dest": "cargo", "dest-filename": "config.toml"})
    return listed


def write(path):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(sources(), file, indent=1)
        file.write("\n")


def check_manifest():
    try:
        import yaml
    except ImportError:
        print("No YAML for Python (python3-yaml): the Flatpak manifest is NOT checked.", file=sys.stderr)
        return
    with open(MANIFEST, encoding="utf-8") as file:
        manifest = yaml.safe_load(file)
    assert manifest["id"] + ".yml" == os.path.basename(MANIFEST), "the manifest has the name of its id"
    [module] = manifest["modules"]
    lists = [source for source in module["sources"] if isinstance(source, str)]
    folder = os.path.dirname(MANIFEST)
    assert [os.path.abspath(os.path.join(folder, path)) for path in lists] == [LIST], "the list of crates"
    assert "--share=network" not in str(manifest["build-options"]), "it builds without a network"
    words = " ".join(module["build-commands"])
    for file in (word for word in words.split() if word.startswith("packaging/")):
        assert os.path.exists(os.path.join(ROOT, file)), f"{file} is missing"
    for kind in ("desktop", "appdata"):
        assert manifest[f"rename-{kind}-file"] in words, f"the {kind} file is installed under the name to rename"
    for wanted in ("man --all", "completions bash", "completions zsh", "completions fish"):
        assert f"onair {wanted} " in words, f"'onair {wanted}' is missing"
    for permission in ("--share=network", "--socket=wayland", "--socket=fallback-x11", "--socket=pulseaudio",
                       "--device=all", "--filesystem=xdg-videos", "--filesystem=xdg-run/pipewire-0"):
        assert permission in manifest["finish-args"], permission


def test(folder):
    check_manifest()
    cache = os.path.join(os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")), "registry/cache")
    for source in sources():
        place = os.path.join(folder, source["dest"])
        os.makedirs(place, exist_ok=True)
        if source["type"] == "inline":
            with open(os.path.join(place, source["dest-filename"]), "w", encoding="utf-8") as file:
                file.write(source["contents"].replace(VENDOR, os.path.join(folder, VENDOR)))
            continue
        crate = glob.glob(os.path.join(cache, "*", os.path.basename(source["url"])))
        assert crate, f"{source['url']} is not in Cargo's cache: run `cargo fetch --locked` first"
        with open(crate[0], "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == source["sha256"], source["url"]
        # flatpak-builder removes the first folder of each path too.
        subprocess.run(["tar", "-xzf", crate[0], "-C", place, "--strip-components=1"], check=True)
    env = dict(os.environ, CARGO_HOME=os.path.join(folder, "cargo"))
    subprocess.run(
        ["cargo", "metadata", "--locked", "--offline", "--format-version", "1"],
        check=True, cwd=ROOT, env=env, stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--test"]:
        test(os.path.abspath(sys.argv[2]))
    else:
        write(sys.argv[1] if len(sys.argv) > 1 else LIST)
