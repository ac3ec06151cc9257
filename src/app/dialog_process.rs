//! Opens the desktop's file dialog in a separate process. The D-Bus library behind the dialog ends
//! its process together with the session bus, and a broadcast must outlive that bus.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::app::backend::dialogs::has_dialog;
use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};
use crate::platform::names;
use crate::platform::process::own_program;

/// The first argument of onair's program that opens a dialog instead of the window.
const DIALOG_COMMAND: &str = "file-dialog";
/// If a dialog reports a cancellation within this time, onair assumes that the dialog never
/// appeared.
const MIN_CANCEL_DELAY: Duration = Duration::from_millis(300);

/// The result of the desktop's dialog.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DialogOutcome {
    Chosen(Vec<PathBuf>),
    Nothing,
    /// The desktop has no dialog.
    NoDialog,
}

/// The process of a dialog, which ends when this value is dropped.
#[derive(Debug)]
pub(super) struct DialogProcess {
    worker: Worker,
    outcomes: Receiver<DialogOutcome>,
    /// The process ends when this pipe closes.
    _lifeline: Option<ChildStdin>,
}

/// Returns the command that opens a dialog. `mode` is `file`, `files`, `folder` or `new`;
/// `extensions` are those of the file types with the name `types`, and `name` is that of a new
/// file.
pub(super) fn command(
    mode: &str,
    folder: Option<PathBuf>,
    (types, extensions): (&str, &[&str]),
    name: &str,
) -> Command {
    let mut command = Command::new(own_program());
    command.args([DIALOG_COMMAND, mode]).arg(folder.unwrap_or_default());
    command.args([types, name]).args(extensions);
    command
}

impl DialogProcess {
    /// Starts a process, and calls `ended` on another thread when the process has ended.
    ///
    /// # Errors
    /// Fails if the system cannot start the process or the thread.
    pub(super) fn start(
        command: &mut Command,
        ended: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lifeline = child.stdin.take();
        let (outcome, outcomes) = queue::bounded("file-dialog", 1, Full::DropOldest);
        let worker = Worker::spawn("onair-files", move |_| {
            // The window may be gone by then, or may no longer wait for the result.
            let _ = outcome.send(outcome_of(child));
            ended();
        })?;
        Ok(Self { worker, outcomes, _lifeline: lifeline })
    }

    /// Returns the result when the dialog is closed.
    pub(super) fn poll(&self) -> Option<DialogOutcome> {
        let is_finished = self.worker.is_finished();
        self.outcomes.try_recv().ok().or(is_finished.then_some(DialogOutcome::Nothing))
    }
}

/// Waits for the end of a dialog's process.
fn outcome_of(child: Child) -> DialogOutcome {
    match child.wait_with_output() {
        Ok(output) if output.status.success() => {
            let paths = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
            let path = |path: &[u8]| PathBuf::from(names::of_bytes(path.to_vec()));
            let paths: Vec<_> = paths.map(path).collect();
            if paths.is_empty() { DialogOutcome::Nothing } else { DialogOutcome::Chosen(paths) }
        }
        _ => DialogOutcome::NoDialog,
    }
}

/// If onair started this process for a file dialog, opens the dialog, writes the chosen paths to
/// standard output and ends the process. The process fails if the desktop has no dialog.
pub fn run_file_dialog() {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_none_or(|word| word != DIALOG_COMMAND) {
        return;
    }
    let written = choose(words).map(|paths| {
        let mut output = io::stdout().lock();
        output.write_all(&paths).and_then(|()| output.flush())
    });
    std::process::exit(i32::from(!matches!(written, Some(Ok(())))));
}

/// Returns the chosen paths, each with a zero byte at its end, or `None` if there is no dialog.
fn choose(mut words: impl Iterator<Item = OsString>) -> Option<Vec<u8>> {
    let _watch = Worker::spawn("onair-lifeline", |_| {
        // The window is gone, or no longer waits for the dialog.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let (mode, folder) = (words.next()?, words.next()?);
    let mut texts = words.map(|word| word.to_string_lossy().into_owned());
    let (types, name) = (texts.next()?, texts.next()?);
    let extensions: Vec<String> = texts.collect();
    if !has_dialog() {
        return None;
    }
    let since = Instant::now();
    let mut dialog = rfd::FileDialog::new();
    if !folder.is_empty() {
        dialog = dialog.set_directory(folder);
    }
    if !extensions.is_empty() {
        dialog = dialog.add_filter(types, &extensions);
    }
    let one = |path| vec![path];
    let paths = match mode.to_str()? {
        "file" => dialog.pick_file().map(one),
        "files" => dialog.pick_files(),
        "folder" => dialog.pick_folder().map(one),
        _ => dialog.set_file_name(name).save_file().map(one),
    };
    if paths.is_none() && since.elapsed() < MIN_CANCEL_DELAY {
        return None;
    }
    let ended = |path: PathBuf| [names::bytes(path.as_os_str()), b"\0"].concat();
    Some(paths.into_iter().flatten().flat_map(ended).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the result of a dialog whose process runs these commands.
    fn outcome(script: &str) -> DialogOutcome {
        let mut command = Command::new("sh");
        let process = DialogProcess::start(command.args(["-c", script]), || {}).unwrap();
        process.outcomes.recv().unwrap()
    }

    #[test]
    fn the_output_of_the_process_is_the_choice() {
        let chosen = |paths: &[&str]| DialogOutcome::Chosen(paths.iter().map(Into::into).collect());
        assert_eq!(outcome(r"printf '/a b\0'"), chosen(&["/a b"]));
        assert_eq!(outcome(r"printf '/a\0/b\nc\0'"), chosen(&["/a", "/b\nc"]));
        assert_eq!(outcome("true"), DialogOutcome::Nothing);
        // The session bus takes the process with it, whatever was written before.
        assert_eq!(outcome(r"printf '/a\0'; exit 1"), DialogOutcome::NoDialog);
        assert_eq!(outcome("kill -9 $$"), DialogOutcome::NoDialog);
    }

    #[test]
    fn a_process_that_nobody_waits_for_ends() {
        let (ended, ends) = queue::bounded("ended", 1, Full::Block);
        let end = move || assert_eq!(ended.send(()), Ok(true));
        // `cat` reads its input until the end, like the process of a dialog.
        drop(DialogProcess::start(&mut Command::new("cat"), end).unwrap());
        assert_eq!(ends.recv(), Some(()));
    }
}
