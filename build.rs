//! Fails early and clearly where the assembler is missing. OpenH264 builds without it too, three
//! times slower at run time: that must not happen unnoticed.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PATH");
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
