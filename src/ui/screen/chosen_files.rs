//! Handlers for files and folders chosen in file dialogs, and for dropped addresses.

use std::path::{Path, PathBuf};

use super::Screen;
use crate::audio::AudioChoice;
use crate::compose::scene::{SceneId, SourceId};
use crate::compose::transition::{Kind, Order, Stinger, Wipe};
use crate::mix::StripId;
use crate::player::source_text;
use crate::studio::{Command, Edit};
use crate::ui::dialogs::file_chooser::{self, ChooserAnswer, ChooserKind, FileChooser, WaitAnswer};
use crate::ui::scenes;
use crate::ui::screen::bars::Page;
use crate::ui::view::file_request::{
    FileRequest, FilterFile, PlaylistRequest, TransitionFile, TransitionFilePart,
};
use crate::ui::view::{View, WindowRequest};

impl Screen {
    /// Opens onair's own file chooser in this folder, or else in that of the last choice.
    pub fn choose_file(&mut self, ctx: &egui::Context, kind: ChooserKind, folder: Option<PathBuf>) {
        let folder = folder.or_else(|| self.last_folder.clone());
        self.file_chooser = Some(FileChooser::new(ctx, kind, folder));
    }

    /// Sets whether the desktop's file dialog has not responded for a while. The dialog may be
    /// open, or may never have appeared.
    pub fn set_file_wait(&mut self, waits: bool) {
        self.file_wait = waits;
    }

    /// Draws onair's file chooser, or the choices that appear while the desktop's dialog does not
    /// respond.
    pub(super) fn file_dialogs(&mut self, ctx: &egui::Context) {
        self.return_chooser_focus(ctx);
        let view = view!(self);
        if let Some(chooser) = &mut self.file_chooser {
            let Some(answer) = file_chooser::show(ctx, &view, chooser) else { return };
            self.file_chooser = None;
            if let ChooserAnswer::Chosen(paths) = &answer {
                self.last_folder = paths.first().and_then(|it| it.parent()).map(Path::to_owned);
            }
            self.requests.push(WindowRequest::FilesChosen(match answer {
                ChooserAnswer::Cancel => None,
                ChooserAnswer::Chosen(paths) => Some(paths),
            }));
        } else if self.file_wait
            && let Some(answer) = file_chooser::waiting(ctx, &view)
        {
            self.file_wait = false;
            self.requests.push(match answer {
                WaitAnswer::Cancel => WindowRequest::FilesChosen(None),
                WaitAnswer::Own => WindowRequest::OwnFileChooser,
            });
        }
    }

    /// Adds a chosen file or folder to a scene.
    pub fn picked_source(&mut self, pick: FileRequest, scene: SceneId, path: PathBuf) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let edit = scenes::add_source::edit_for(&self.snapshot, scene, name, pick.choice(path));
        self.scenes.await_items(&self.snapshot);
        self.send(Command::Edit(edit));
    }

    /// Sets a chosen file or folder as the content of an existing source.
    pub fn picked_another(&mut self, pick: FileRequest, source: SourceId, path: PathBuf) {
        let edit = Edit::SetSource(source, pick.choice(path));
        self.send(Command::Edit(edit));
    }

    /// Adds or replaces files in the playlist of a source.
    pub fn picked_then(&mut self, then: PlaylistRequest, paths: Vec<PathBuf>) {
        // The list may have changed while the dialog was open; the studio checks that.
        let (source, mut paths) = (then.source, paths.into_iter());
        let edit = match then.at {
            Some((index, old)) => {
                let Some(new) = paths.next() else { return };
                Edit::ReplaceFile { source, index, old, new }
            }
            None => Edit::Several(paths.map(|path| Edit::AddFile(source, path)).collect()),
        };
        self.send(Command::Edit(edit));
    }

    /// Sets a chosen file for a filter of a source.
    pub fn picked_filter(&mut self, of: &FilterFile, path: PathBuf) {
        let mut slots = self.snapshot.scenes.collection.filters(of.source).to_vec();
        let Some(slot) = of.among(&slots).and_then(|at| slots.get_mut(at)) else { return };
        if slot.filter.set_file(path) {
            self.send(Command::Edit(Edit::SetFilters(of.source, slots)));
        }
    }

    /// Sets a chosen file for a transition.
    pub fn picked_transition(&mut self, of: TransitionFile, path: PathBuf) {
        let collection = &self.snapshot.scenes.collection;
        let mut transition = match of.scene {
            // The scene may no longer have a separate transition.
            Some(id) => match collection.own_transitions.get(&id).cloned() {
                Some(transition) => transition,
                None => return,
            },
            None => collection.transition.clone(),
        };
        match (&mut transition.kind, of.means) {
            (Kind::Luma(Wipe { order: Order::Image(file), .. }), TransitionFilePart::Image)
            | (
                Kind::Stinger(Stinger { file, .. }),
                TransitionFilePart::Clip | TransitionFilePart::Folder,
            ) => *file = path,
            // The user chose another kind while the dialog was open.
            _ => return,
        }
        let edit = match of.scene {
            Some(id) => Edit::SetSceneTransition(id, Some(transition)),
            None => Edit::SetTransition(transition),
        };
        self.send(Command::Edit(edit));
    }

    /// Sets a chosen audio file for this strip, or adds a strip with this file.
    pub fn picked_strip(&mut self, strip: Option<StripId>, path: PathBuf) {
        let choice = AudioChoice::File(path);
        self.send(match strip {
            Some(id) => Command::SelectStrip { id, choice },
            None => Command::AddStrip(choice),
        });
    }

    /// Plays a chosen file.
    pub fn picked_watch(&mut self, path: &std::path::Path) {
        let url = source_text(path.as_os_str());
        self.watch.set_url(url.clone());
        self.page = Page::Watch;
        self.send(Command::Watch { url });
    }

    /// Selects a chosen file for passthrough.
    pub fn picked_passthrough(&mut self, path: PathBuf) {
        self.passthrough.path = Some(path);
    }

    /// Sets a chosen folder for recordings.
    pub fn picked_folder(&mut self, path: PathBuf) {
        let before = std::mem::replace(&mut self.preferences.recording_folder, path);
        if self.preferences.saved_folder().is_some_and(|folder| folder.to_str().is_none()) {
            // The studio refuses this folder with a notice.
            let refused = self.preferences_command();
            self.preferences.recording_folder = before;
            return self.send(refused);
        }
        self.requests.push(WindowRequest::Preferences);
    }

    /// Sets whether the pointer drags an address over the window.
    pub fn set_address_over(&mut self, over: bool) {
        self.watch.address_over = over;
    }

    /// Plays the addresses that a second start of onair has passed to this window.
    pub fn open_streams(&mut self, urls: Vec<String>) {
        self.page = Page::Watch;
        if let Some(first) = urls.first() {
            self.watch.set_url(first.clone());
        }
        self.send(Command::WatchAll(urls));
    }

    /// Handles an address that was dropped on the window: plays it, or adds it to the scene as a
    /// source.
    pub fn dropped_address(&mut self, address: String) {
        if self.page == Page::Studio {
            let edit = scenes::canvas::drops::of_address(&self.snapshot, address);
            self.scenes.await_items(&self.snapshot);
            self.send(Command::Edit(edit));
            return;
        }
        self.page = Page::Watch;
        self.watch.set_url(address.clone());
        self.send(Command::Watch { url: address });
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;
    use crate::base::Latest;
    use crate::studio::Preferences;

    #[test]
    fn a_recordings_folder_that_cannot_be_saved_is_not_used() {
        let bad = PathBuf::from(OsStr::from_bytes(b"/v/a \xFF"));
        let preferences = Preferences { recording_folder: "/v".into(), ..Preferences::default() };
        let ctx = egui::Context::default();
        let mut screen = Screen::new(&ctx, preferences.clone(), Latest::default(), Vec::new());
        screen.picked_folder(bad.clone());
        assert_eq!(screen.preferences, preferences);
        let refused = Preferences { recording_folder: bad, ..preferences };
        let command = Command::SetPreferences { preferences: refused, part_changes: 0 };
        assert_eq!(screen.requests, [WindowRequest::Command(command)]);
        screen.requests.clear();
        screen.picked_folder("/w".into());
        assert_eq!(screen.preferences.recording_folder, PathBuf::from("/w"));
        assert_eq!(screen.requests, [WindowRequest::Preferences]);
    }
}
