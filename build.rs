//! Fails early and clearly where the assembler is missing: OpenH264 builds without it too, three times
//! slower at run time, and that must not happen unnoticed. Has the program linked so that it starts with
//! less memory.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    if can_read_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let intel = std::env::var("CARGO_CFG_TARGET_ARCH")
        .is_ok_and(|architecture| architecture == "x86_64" || architecture == "x86");
    if !intel || found("nasm") {
        return ExitCode::SUCCESS;
    }
    println!(
        "cargo::error=nasm is not installed: without it the H.264 encoder is three times slower. \
         Install it (Debian, Ubuntu, Fedora, Arch, macOS: package 'nasm') or run packaging/run.sh, \
         which does; then build again."
    );
    ExitCode::FAILURE
}

fn found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let name = PathBuf::from(program).with_extension(std::env::consts::EXE_EXTENSION);
    std::env::split_paths(&path).any(|folder| folder.join(&name).is_file())
}

/// Whether programs for this very machine may have their list of addresses to be put right in the packed
/// form: a hundredth as long, all of which is read at each start. glibc knows it from 2.36 on; linkers
/// that do not know it say so and go on without.
fn can_read_packed_relocations() -> bool {
    let of = |name| std::env::var(name).unwrap_or_default();
    if of("TARGET") != of("HOST") || !of("TARGET").ends_with("linux-gnu") {
        return false;
    }
    let Ok(answer) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    let Some((major, minor)) =
        answer.trim().strip_prefix("glibc ").and_then(|it| it.split_once('.'))
    else {
        return false;
    };
    let number =
        |text: &str| text.split('.').next().and_then(|it| it.parse().ok()).unwrap_or(0_u32);
    (number(major), number(minor)) >= (2, 36)
}
