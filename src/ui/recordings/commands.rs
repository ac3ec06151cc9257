//! The commands for the selected recording.

use std::path::PathBuf;
use std::sync::Arc;

use crate::studio::Command;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::live::recording::library::view::RecordingFile;
use crate::ui::input::actions::Action;
use crate::ui::recordings::{Draft, list, trim};
use crate::ui::view::View;

/// Executes a command for the selected recording. Returns the recording to play, if any. Without a
/// selection, the page asks for one.
pub fn act(view: &mut View<'_>, draft: &mut Draft, action: Action) -> Option<PathBuf> {
    let recordings = Arc::clone(&view.snapshot.recordings);
    if action == Action::RecordingRepair {
        // The command applies to an interrupted recording, even if another one is selected.
        let is_selected = |file: &&RecordingFile| Some(&file.path) == draft.selected.as_ref();
        let broken = || recordings.files.iter().filter(|file| view.snapshot.can_repair(file));
        let file = broken().find(is_selected).or_else(|| broken().next())?;
        draft.select(Some(file.path.clone()));
        view.send(Command::Recordings(RecordingsCommand::Repair(file.path.clone())));
        return None;
    }
    let selected = draft.selected.clone()?;
    let file = recordings.files.iter().find(|file| file.path == selected)?;
    match action {
        Action::RecordingPlay => return file.details().map(|_| file.path.clone()),
        Action::RecordingShow => {
            view.send(Command::Recordings(RecordingsCommand::ShowInFolder(selected)));
        }
        Action::RecordingRename => draft.begin_name(list::stem(file)),
        Action::RecordingTrash if view.snapshot.is_being_written(file) => {}
        Action::RecordingTrash => draft.ask_trash(),
        Action::RecordingCopy => {
            if let Some(copy) =
                file.details().and_then(|it| trim::copy(&recordings, file, it, &draft.cut))
            {
                view.send(Command::Recordings(copy));
            }
        }
        _ => {}
    }
    None
}
