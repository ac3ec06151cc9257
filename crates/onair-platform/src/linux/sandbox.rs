//! Restricts a process and its threads, because they decode hostile data with C libraries (FDK-AAC,
//! OpenH264, libopus, FFmpeg). This module uses three features of Linux that need no privilege:
//! `no_new_privs`, seccomp (system calls) and Landlock (files). All three features apply to the
//! thread that enables them and to the threads that it starts later, and cannot be undone. onair
//! logs the features that the kernel does not support.
//!
//! | who | seccomp | Landlock: execute nothing, write only below |
//! |---|---|---|
//! | commands without a window | [`process`] | [`files`] for known files: their folders, devices |
//! | threads that decode frames | [`video_decoder`] | devices, crash reports |
//! | threads that decode audio and open speakers | [`audio_decoder`] | devices, crash reports |
//!
//! The other threads of the window stay unrestricted. Programs that a desktop opens for them (a
//! browser, a file dialog) would inherit the restrictions, and browsers need the refused calls for
//! their own sandboxes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use landlock::{
    ABI, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, path_beneath_rules,
};
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

use crate::system::files::FileId;

/// The folder of crash reports.
static CRASH_FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// The folders that the process may write to, each with its identity when the sandbox started.
static WRITABLE_FOLDERS: OnceLock<Vec<(PathBuf, Option<FileId>)>> = OnceLock::new();

/// A set of system calls to refuse.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Calls {
    /// Calls that no part of onair needs, such as starting other programs.
    Process,
    /// The calls of `Process`, and the calls for sockets, processes and signals to other processes.
    Decoder,
}

/// Allows all threads to write crash reports to this folder.
pub fn crash_folder(folder: &Path) {
    let _ = CRASH_FOLDER.set(folder.to_owned());
}

/// Restricts the whole process before it starts other threads. The process can then start no other
/// programs, debug no other processes, and use no unneeded kernel interfaces.
pub fn process() {
    restrict_calls(Calls::Process);
}

/// Restricts writing by this thread and by the threads that it starts later. These threads can
/// write only to devices and to the folders of the named files (for new names and temporary files).
pub fn files(named: &[&Path]) {
    let mut folders = Vec::new();
    for path in named {
        folders.extend(nearest(path));
        folders.extend(path.canonicalize().ok().as_deref().and_then(nearest));
    }
    let writable = folders.iter().map(|folder| (folder.clone(), id_of(folder))).collect();
    if restrict_files(&folders) {
        let _ = WRITABLE_FOLDERS.set(writable);
    }
}

/// Returns true if the sandbox refuses writing to this file because a folder that was writable at
/// the start is now another folder: it was created again, or a disk was mounted on it. Landlock
/// applies to the folder itself, not to its path.
pub fn is_replaced(path: &Path) -> bool {
    let Ok(path) = std::path::absolute(path) else { return false };
    let mut folders = WRITABLE_FOLDERS.get().into_iter().flatten();
    folders.any(|(folder, id)| path.starts_with(folder) && id_of(folder) != *id)
}

fn id_of(folder: &Path) -> Option<FileId> {
    FileId::at(folder).ok()
}

/// Restricts a thread that only decodes video.
pub fn video_decoder() {
    restrict_files(&[]);
    restrict_calls(Calls::Decoder);
}

/// Restricts a thread that decodes audio and plays it on speakers, through sockets.
pub fn audio_decoder() {
    restrict_files(&[]);
    restrict_calls(Calls::Process);
}

/// Restricts this encoder process before it loads a library, as far as the encoder can work: the driver of a graphics
/// card opens devices and sockets later.
pub fn encoder(is_hardware: bool) {
    if is_hardware {
        process();
    } else {
        video_decoder();
    }
}

/// Does nothing: on this system, nothing has to wait until an encoder's library is loaded.
pub fn encoder_is_loaded(_is_hardware: bool) {}

/// Returns the folder of a file, or its nearest existing parent.
fn nearest(path: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(path).ok()?;
    whole.ancestors().skip(1).find(|folder| folder.is_dir()).map(Path::to_owned)
}

/// Returns the paths that every thread may write to: devices, the sockets of speakers, crash
/// reports.
fn always() -> Vec<PathBuf> {
    let crashes = CRASH_FOLDER.get();
    if let Some(folder) = crashes {
        // Landlock allows only folders that exist. Otherwise, the first crash could not create the
        // folder and would leave no report.
        let _ = std::fs::create_dir_all(folder);
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let cookie = dirs::config_dir().map(|folder| folder.join("pulse"));
    let found = [Some("/dev".into()), runtime, cookie, crashes.cloned()];
    found.into_iter().flatten().filter(|folder: &PathBuf| folder.is_absolute()).collect()
}

/// The system calls that no part of onair needs: calls for other programs, the memory of other
/// processes, mounts and namespaces, kernel modules, keys, probes and clocks.
const PROCESS_REFUSED_CALLS: &[libc::c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_personality,
];

/// The number of this system call, which is the same on all processor architectures.
const SYS_FCHMODAT2: libc::c_long = 452;

/// The system calls that a decoding thread does not need either. These calls include
/// `io_uring`, which could perform most of these operations without further system calls.
const DECODER_REFUSED_CALLS: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_kill,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_capset,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    SYS_FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_fsetxattr,
    libc::SYS_lsetxattr,
];

/// The older system calls that exist only on this processor architecture.
#[cfg(target_arch = "x86_64")]
const LEGACY_REFUSED_CALLS: &[libc::c_long] =
    &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown];
#[cfg(not(target_arch = "x86_64"))]
const LEGACY_REFUSED_CALLS: &[libc::c_long] = &[];

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("this processor is not known: {0}")]
    Filter(#[from] seccompiler::BackendError),
    #[error("{0}")]
    Apply(#[from] seccompiler::Error),
}

fn restrict_calls(calls: Calls) {
    if let Err(error) = filter(calls) {
        tracing::info!(%error, ?calls, "system calls are not restricted");
    }
}

fn filter(calls: Calls) -> Result<(), Error> {
    #[cfg(target_arch = "x86_64")]
    refuse_x32()?;
    if calls == Calls::Decoder {
        // The flags of `clone3` are in memory, which no filter can read. If `clone3` is not
        // available, callers use `clone` instead.
        apply(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)?;
    }
    apply(rules(calls)?, libc::EPERM)
}

/// Refuses the calls of the x32 ABI, with which the numbers of all system calls have another bit set.
#[cfg(target_arch = "x86_64")]
fn refuse_x32() -> Result<(), Error> {
    // The codes are those of linux/bpf_common.h.
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const X32_CALLS: u32 = 0x4000_0000;
    let step = |code, jf, k| seccompiler::sock_filter { code, jt: 0, jf, k };
    let program = [
        // The number of the call is at offset 0.
        step(LOAD_WORD, 0, 0),
        step(JUMP_IF_GREATER_OR_EQUAL, 1, X32_CALLS),
        step(RETURN, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs()),
        step(RETURN, 0, libc::SECCOMP_RET_ALLOW),
    ];
    Ok(apply_filter(&program)?)
}

/// Returns the calls to refuse, with conditions for their arguments.
fn rules(calls: Calls) -> Result<BTreeMap<i64, Vec<SeccompRule>>, Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        PROCESS_REFUSED_CALLS.iter().map(|call| (*call, Vec::new())).collect();
    if calls == Calls::Decoder {
        rules.extend(
            DECODER_REFUSED_CALLS
                .iter()
                .chain(LEGACY_REFUSED_CALLS)
                .map(|call| (*call, Vec::new())),
        );
        // With this flag, `clone` starts a thread of this process. Without this flag, `clone`
        // starts a new process.
        let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
        let is = SeccompCmpOp::MaskedEq(thread);
        let process = SeccompCondition::new(0, SeccompCmpArgLen::Qword, is, 0)?;
        rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![process])?]);
        // `abort` sends a signal to a thread of this process.
        let own = u64::from(std::process::id());
        let other = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own)?;
        rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![other])?]);
        // The GNU C library never uses this call, which names only a thread.
        #[cfg(target_env = "gnu")]
        rules.insert(libc::SYS_tkill, Vec::new());
    }
    Ok(rules)
}

/// Refuses these calls with an error, and sets `no_new_privs`.
fn apply(rules: BTreeMap<i64, Vec<SeccompRule>>, error: libc::c_int) -> Result<(), Error> {
    let refuse = SeccompAction::Errno(error.unsigned_abs());
    let processor = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor)?;
    let program: seccompiler::BpfProgram = filter.try_into()?;
    Ok(apply_filter(&program)?)
}

/// Returns true if files are restricted from now on.
fn restrict_files(folders: &[PathBuf]) -> bool {
    match landlock(folders) {
        Ok(RulesetStatus::NotEnforced) => {
            tracing::info!("files are not restricted: this kernel has no Landlock");
            return false;
        }
        Ok(status) => tracing::debug!(?status, "files are restricted"),
        Err(error) => {
            tracing::info!(%error, "files are not restricted");
            return false;
        }
    }
    true
}

fn landlock(folders: &[PathBuf]) -> Result<RulesetStatus, landlock::RulesetError> {
    // Restricts changes of files and the execution of programs. Reading is not restricted, and
    // neither are devices that are already open.
    let writes = AccessFs::from_write(ABI::V3);
    let always = always();
    let rules = path_beneath_rules(folders.iter().chain(&always), writes);
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(writes | AccessFs::Execute)?
        .create()?
        .add_rules(rules)?
        .restrict_self()?;
    Ok(status.ruleset)
}

#[cfg(test)]
// The tests start plain threads, as libraries do.
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::net::TcpListener;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    /// The environment variable that is set in the restricted process. The value is the folder to
    /// which this process may write.
    const SANDBOX_FOLDER_VARIABLE: &str = "ONAIR_TEST_SANDBOX";

    /// Runs a test in a separate process, because the restrictions cannot be undone.
    fn child(test: &str, folder: &Path) {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads", "1"])
            .env(SANDBOX_FOLDER_VARIABLE, folder)
            .env_remove("XDG_RUNTIME_DIR")
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && stdout.contains("1 passed"), "{output:?}");
    }

    fn refused<T>(done: std::io::Result<T>) {
        let error = done.err().expect("it was allowed");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    }

    /// Reads a field of /proc/thread-self/status. Returns `None` if the kernel does not have the field.
    fn status(name: &str) -> Option<String> {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    }

    fn has_landlock() -> bool {
        Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_write(ABI::V1))
            .is_ok()
    }

    #[test]
    fn a_command_writes_only_to_its_folder_and_starts_nothing() {
        let name = "linux::sandbox::tests::a_command_writes_only_to_its_folder_and_starts_nothing";
        let Some(folder) = std::env::var_os(SANDBOX_FOLDER_VARIABLE).map(PathBuf::from) else {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("in")).unwrap();
            std::fs::write(folder.path().join("other"), "kept").unwrap();
            return child(name, folder.path());
        };
        let (inside, crashes) = (folder.join("in"), folder.join("state/onair/crashes"));
        crash_folder(&crashes);
        files(&[&inside.join("new/show.flv")]);
        // Linux 5.9 and later.
        let filters = || Some(status("Seccomp_filters:")?.parse::<u32>().unwrap());
        let before = filters();
        process();
        // One of them refuses the calls of the x32 ABI.
        let added = if cfg!(target_arch = "x86_64") { 2 } else { 1 };
        assert_eq!(filters(), before.map(|before| before + added));
        assert_eq!(
            ["NoNewPrivs:", "Seccomp:"].map(status),
            ["1", "2"].map(|it| Some(it.to_owned()))
        );
        // The restriction also applies to threads that start later, and to `exec` in this process.
        let thread = std::thread::spawn(|| refused(Command::new("/bin/true").spawn()));
        thread.join().unwrap();
        refused(Err::<(), _>(Command::new("/bin/true").exec()));
        if has_landlock() {
            refused(std::fs::write(folder.join("other"), "gone"));
            refused(std::fs::remove_file(folder.join("other")));
            std::fs::rename(folder.join("other"), inside.join("other")).unwrap_err();
            refused(std::fs::create_dir(folder.join("new")));
        }
        assert_eq!(std::fs::read(folder.join("other")).unwrap(), b"kept");
        // The permitted work still succeeds.
        std::fs::create_dir(inside.join("new")).unwrap();
        std::fs::write(inside.join("new/show.flv.part"), "show").unwrap();
        std::fs::rename(inside.join("new/show.flv.part"), inside.join("new/show.flv")).unwrap();
        std::fs::write("/dev/null", "sound").unwrap();
        // The first crash of a user leaves a report, too.
        std::fs::write(crashes.join("crash.txt"), "report").unwrap();
        drop(TcpListener::bind("127.0.0.1:0").unwrap());
    }

    #[test]
    fn a_folder_that_another_one_replaces_is_recognized() {
        let name = "linux::sandbox::tests::a_folder_that_another_one_replaces_is_recognized";
        let Some(folder) = std::env::var_os(SANDBOX_FOLDER_VARIABLE).map(PathBuf::from) else {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("in")).unwrap();
            return child(name, folder.path());
        };
        let (inside, file) = (folder.join("in"), folder.join("in/show.flv"));
        let (written, is_written) = std::sync::mpsc::sync_channel(1);
        let (replace, replaced) = std::sync::mpsc::sync_channel(1);
        let writer = std::thread::spawn(move || {
            files(&[&file]);
            std::fs::write(&file, "show").unwrap();
            assert!(!is_replaced(&file));
            written.send(()).unwrap();
            replaced.recv().unwrap();
            if has_landlock() {
                refused(std::fs::write(&file, "show"));
                assert!(is_replaced(&file));
            }
            assert!(!is_replaced(&folder.join("other")), "a folder that never was writable");
        });
        is_written.recv().unwrap();
        // Only the other thread is restricted.
        std::fs::rename(&inside, inside.with_file_name("before")).unwrap();
        std::fs::create_dir(&inside).unwrap();
        replace.send(()).unwrap();
        writer.join().unwrap();
    }

    #[test]
    fn a_decoder_has_no_call_for_signals_to_other_processes() {
        let (decoder, process) = (Calls::Decoder, Calls::Process);
        let rules = |calls| super::rules(calls).unwrap();
        let sends = [libc::SYS_kill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo];
        assert!(sends.iter().all(|call| rules(decoder).get(call).is_some_and(Vec::is_empty)));
        // Signals to the threads of this process are allowed.
        assert!(rules(decoder).get(&libc::SYS_tgkill).is_some_and(|rules| rules.len() == 1));
        assert!(!rules(process).contains_key(&libc::SYS_tgkill));
    }

    #[test]
    fn a_decoder_opens_no_sockets_and_writes_nothing() {
        let name = "linux::sandbox::tests::a_decoder_opens_no_sockets_and_writes_nothing";
        let Some(folder) = std::env::var_os(SANDBOX_FOLDER_VARIABLE).map(PathBuf::from) else {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("show.h264"), "bytes").unwrap();
            return child(name, folder.path());
        };
        let its = folder.clone();
        let decoder = std::thread::spawn(move || {
            video_decoder();
            refused(TcpListener::bind("127.0.0.1:0"));
            refused(std::net::UdpSocket::bind("127.0.0.1:0"));
            refused(Command::new("/bin/true").spawn());
            if has_landlock() {
                refused(std::fs::write(its.join("new"), "bytes"));
                refused(std::fs::remove_file(its.join("show.h264")));
            }
            // Decoders read files, allocate memory and start threads. These threads have the same
            // restrictions.
            assert_eq!(std::fs::read(its.join("show.h264")).unwrap(), b"bytes");
            let helper = std::thread::spawn(|| {
                refused(TcpListener::bind("127.0.0.1:0"));
                vec![1_u8; 32 << 20].len()
            });
            assert_eq!(helper.join().unwrap(), 32 << 20);
        });
        decoder.join().unwrap();
        // No other thread is restricted.
        drop(TcpListener::bind("127.0.0.1:0").unwrap());
        std::fs::write(folder.join("new"), "bytes").unwrap();
        assert!(Command::new("/bin/true").status().unwrap().success());
    }
}
