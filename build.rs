//! Build script. Fails with a clear message if the assembler `nasm` is missing: OpenH264 also builds
//! without it, but is then three times slower, and nobody would notice. Where possible, links the
//! program with packed relocations, so that it starts with less memory, and a release with each function
//! only once. A program for Windows gets its icon, version and manifest.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    if can_read_packed_relocations() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if release && can_fold_functions().unwrap_or(false) {
        println!("cargo::rustc-link-arg-bins={FOLD}");
    }
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "windows")
        && let Err(why) = prepare_windows_program()
    {
        println!("cargo::error={why}");
        return ExitCode::FAILURE;
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

/// Adds the resources of a program for Windows, and links it as a program that opens no console
/// (`packaging/windows/onair.c` says how commands print). The main thread gets the stack of Linux.
fn prepare_windows_program() -> Result<(), String> {
    const WINDRES: &str = "x86_64-w64-mingw32-windres";
    println!("cargo::rerun-if-changed=packaging/windows");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let resources = PathBuf::from(of("OUT_DIR")).join("resources.o");
    let mut compiler = Command::new(WINDRES);
    for part in ["MAJOR", "MINOR", "PATCH"] {
        let number = of(&format!("CARGO_PKG_VERSION_{part}"));
        compiler.arg(format!("-DONAIR_{part}={number}"));
    }
    compiler.arg(format!("-DONAIR_VERSION={}", of("CARGO_PKG_VERSION")));
    compiler.args(["--include-dir", "packaging/windows", "--output-format", "coff"]);
    compiler.arg("packaging/windows/onair.rc").arg(&resources);
    match compiler.status() {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("{WINDRES} ended with {status}")),
        Err(error) => return Err(format!("{WINDRES} cannot be started: {error}")),
    }
    println!("cargo::rustc-link-arg-bins={}", resources.display());
    println!("cargo::rustc-link-arg-bins=-Wl,--subsystem,windows,--stack,8388608");
    Ok(())
}

/// Keeps one of several functions that have the same machine code, mostly of generic types. In a crash
/// report, such a function can therefore have another's name.
const FOLD: &str = "-Wl,--icf=all";

/// Returns true if the linker understands [`FOLD`]. LLVM's does, which is the compiler's default on
/// x86-64 Linux; GNU's does not, and would refuse to link.
fn can_fold_functions() -> Option<bool> {
    let folder = PathBuf::from(std::env::var_os("OUT_DIR")?);
    let source = folder.join("trial.rs");
    std::fs::write(&source, "fn main() {}").ok()?;
    let mut compiler = Command::new(std::env::var_os("RUSTC")?);
    compiler.arg("--target").arg(std::env::var_os("TARGET")?);
    if let Some(linker) = std::env::var_os("RUSTC_LINKER") {
        compiler
            .arg("-C")
            .arg([OsString::from("linker="), linker].into_iter().collect::<OsString>());
    }
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    compiler.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    compiler.arg("-C").arg(format!("link-arg={FOLD}"));
    compiler.arg(source).arg("-o").arg(folder.join("trial"));
    Some(compiler.output().ok()?.status.success())
}

fn found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let name = PathBuf::from(program).with_extension(std::env::consts::EXE_EXTENSION);
    std::env::split_paths(&path).any(|folder| folder.join(&name).is_file())
}

/// Returns true if the system on which the program is built can start programs with packed relocations.
/// The packed table, which is read at each start, has a hundredth of the usual size. glibc supports
/// packed relocations since 2.36. A linker that does not support them warns and ignores the option.
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
