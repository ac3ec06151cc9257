//! Opens the desktop's file dialogs, each in a separate process. A dialog can stay open for hours,
//! or never appear. If the desktop has no dialog, or the dialog does not respond, onair's own
//! chooser opens.

use std::path::PathBuf;
use std::process;
use std::time::{Duration, Instant};

use eframe::egui;

use crate::app::dialog_process::{self, DialogOutcome, DialogProcess};
use crate::compose::filter::Asset;
use crate::compose::scene::{SceneId, SourceId};
use crate::mix::StripId;
use crate::studio::Command;
use crate::studio::command::PartCommand;
use crate::studio::settings::part::PartKind;
use crate::ui::view::file_request::{
    FileRequest, FilterFile, PlaylistRequest, TransitionFile, TransitionFilePart,
};
use crate::ui::{ChooserKind, Screen};

/// The purpose of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An audio file for this mixer strip, or for a new strip.
    Strip(Option<StripId>),
    Watch,
    /// A file that is sent unchanged.
    Passthrough,
    Folder,
    /// A file for a new source in a scene.
    Source(FileRequest, SceneId),
    /// A file for an existing source.
    Another(FileRequest, SourceId),
    /// More files for a source, which it plays or shows after its first file.
    PlaylistRequest(PlaylistRequest),
    /// A file for a filter of a source.
    Filter(Asset, FilterFile),
    /// A file for a transition between scenes.
    Transition(TransitionFile),
    /// A scene collection to import.
    Scenes,
    /// A new file for exported scenes.
    NewScenes,
    /// A collection or profile to import, with or without the stream key that it contains.
    Part(PartKind, bool),
    /// A new file for the collection or profile with this name.
    NewPart(PartKind, String),
}

/// The file name extensions of media files with video.
const VIDEO_EXTENSIONS: [&str; 6] = ["flv", "mp4", "m4v", "mov", "mkv", "webm"];
/// The file name extensions of files that contain only audio.
const AUDIO_EXTENSIONS: [&str; 9] =
    ["mp3", "flac", "ogg", "oga", "opus", "aac", "wav", "m4a", "mka"];
const IMAGE_EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "gif"];

/// The file types that a dialog offers, with their extensions.
#[derive(Debug, PartialEq, Eq)]
enum Offers {
    Folders,
    Files(&'static str, Vec<&'static str>),
    NewFile(&'static str, &'static [&'static str], String),
}

impl Kind {
    /// Returns true if the files are for a scene, source or strip of the scene collection in use.
    const fn is_for_collection(&self) -> bool {
        match self {
            Self::Strip(_)
            | Self::Source(..)
            | Self::Another(..)
            | Self::PlaylistRequest(_)
            | Self::Filter(..)
            | Self::Transition(_) => true,
            Self::Watch
            | Self::Passthrough
            | Self::Folder
            | Self::Scenes
            | Self::NewScenes
            | Self::Part(..)
            | Self::NewPart(..) => false,
        }
    }

    /// Passes the chosen files on to the screen, or returns the command that passes them on to the
    /// studio.
    pub(super) fn pass_on(self, screen: &mut Screen, paths: Vec<PathBuf>) -> Option<Command> {
        let kind = match self {
            Self::PlaylistRequest(then) => {
                screen.picked_then(then, paths);
                return None;
            }
            kind => kind,
        };
        let path = paths.into_iter().next()?;
        match kind {
            Self::Strip(strip) => screen.picked_strip(strip, path),
            Self::Watch => screen.picked_watch(&path),
            Self::Passthrough => screen.picked_passthrough(path),
            Self::Folder => screen.picked_folder(path),
            Self::Source(pick, scene) => screen.picked_source(pick, scene, path),
            Self::Another(pick, source) => screen.picked_another(pick, source, path),
            // All its files were passed on above.
            Self::PlaylistRequest(_) => {}
            Self::Filter(_, of) => screen.picked_filter(&of, path),
            Self::Transition(of) => screen.picked_transition(of, path),
            Self::Scenes => return Some(Command::ImportScenes(path)),
            Self::Part(kind, with_key) => {
                return Some(Command::Part(PartCommand::Import { kind, path, with_key }));
            }
            Self::NewPart(kind, name) => {
                return Some(Command::Part(PartCommand::Export { kind, name, path }));
            }
            Self::NewScenes => return Some(Command::ExportScenes(path)),
        }
        None
    }

    /// Returns the folder in which onair's own chooser opens. For an import, this is the folder of
    /// OBS, if `config` has one. The chooser does not list it, because it is in a hidden folder.
    fn own_folder(&self, config: Option<PathBuf>) -> Option<PathBuf> {
        let folder = match self {
            Self::Part(PartKind::Collection, _) => "obs-studio/basic/scenes",
            Self::Part(PartKind::Profile, _) => "obs-studio/basic/profiles",
            _ => return None,
        };
        config.map(|config| config.join(folder)).filter(|folder| folder.is_dir())
    }

    /// Returns the same file types in the form that onair's own chooser uses.
    fn chooser(&self) -> ChooserKind {
        let owned = |known: &[&str]| known.iter().map(|it| (*it).to_owned()).collect();
        match self.offers() {
            Offers::Folders => ChooserKind::Folder { may_be_new: matches!(self, Self::Folder) },
            Offers::Files(_, known) => ChooserKind::Files {
                endings: owned(&known),
                several: matches!(self, Self::PlaylistRequest(PlaylistRequest { at: None, .. })),
            },
            Offers::NewFile(_, known, name) => ChooserKind::NewFile { endings: owned(known), name },
        }
    }

    fn offers(&self) -> Offers {
        let with_video = |name, more: &[&'static str]| {
            Offers::Files(name, [more, &VIDEO_EXTENSIONS[..]].concat())
        };
        let images = || Offers::Files("PNG, JPEG, WebP, GIF", IMAGE_EXTENSIONS.to_vec());
        match self {
            Self::Source(FileRequest::Video, _) | Self::Another(FileRequest::Video, _) => {
                with_video("FLV, MP4, MKV, WebM, Y4M", &["y4m"])
            }
            Self::Strip(_) => {
                with_video("WAV, MP3, FLAC, Ogg, AAC, MP4, MKV, FLV", &AUDIO_EXTENSIONS)
            }
            Self::PlaylistRequest(PlaylistRequest { pick: FileRequest::Image, .. }) => images(),
            Self::PlaylistRequest(_) => with_video("FLV, MP4, MKV, WebM", &[]),
            Self::Watch => {
                with_video("FLV, MP4, MKV, WebM, MP3, FLAC, Ogg, AAC, WAV", &AUDIO_EXTENSIONS)
            }
            Self::Passthrough => {
                Offers::Files("FLV, MP4, MKV, WebM", vec!["flv", "mp4", "mkv", "webm"])
            }
            Self::Folder
            | Self::Source(FileRequest::Slides, _)
            | Self::Another(FileRequest::Slides, _)
            | Self::Transition(TransitionFile { means: TransitionFilePart::Folder, .. }) => {
                Offers::Folders
            }
            Self::Source(FileRequest::Text, _) | Self::Another(FileRequest::Text, _) => {
                Offers::Files("TXT", vec!["txt"])
            }
            Self::Transition(TransitionFile { means: TransitionFilePart::Clip, .. }) => {
                with_video("WebP, GIF, PNG, MP4, MKV, WebM, FLV", &["webp", "gif", "png", "apng"])
            }
            Self::Filter(Asset::Table, ..) => Offers::Files("CUBE", vec!["cube"]),
            Self::Source(FileRequest::Image | FileRequest::Slide, _)
            | Self::Another(FileRequest::Image | FileRequest::Slide, _)
            | Self::Filter(Asset::Image, ..)
            | Self::Transition(TransitionFile { means: TransitionFilePart::Image, .. }) => images(),
            Self::Scenes => Offers::Files("onair, OBS", vec!["toml", "json"]),
            Self::Part(PartKind::Collection, _) => {
                Offers::Files("onair, OBS", vec!["toml", "json"])
            }
            Self::Part(PartKind::Profile, _) => Offers::Files("onair, OBS", vec!["toml", "ini"]),
            // The name of a collection or profile is also valid as a file name.
            Self::NewPart(PartKind::Collection, name) => {
                Offers::NewFile("TOML, JSON", &["toml", "json"], format!("{name}.toml"))
            }
            Self::NewPart(PartKind::Profile, name) => {
                Offers::NewFile("TOML", &["toml"], format!("{name}.toml"))
            }
            Self::NewScenes => {
                Offers::NewFile("TOML, JSON", &["toml", "json"], "scenes.toml".to_owned())
            }
        }
    }
}

/// If the desktop's dialog has not responded after this time, it may not have appeared at all.
const DIALOG_TIMEOUT: Duration = Duration::from_millis(1_500);

/// The result of a file dialog for the window.
#[derive(Debug, PartialEq, Eq)]
pub enum FileNews {
    Chosen(Kind, Vec<PathBuf>),
    /// onair's own chooser should open, in this folder.
    OpenOwn(ChooserKind, Option<PathBuf>),
}

/// The way in which dialogs are opened.
#[derive(Debug)]
enum DialogProvider {
    Desktop(DialogProcess),
    Own,
}

#[derive(Debug)]
struct OpenDialog {
    kind: Kind,
    folder: Option<PathBuf>,
    since: Instant,
    provider: DialogProvider,
    /// True if the result is ignored, because its scene collection is no longer in use.
    is_outdated: bool,
}

/// The open dialog, if any.
#[derive(Debug, Default)]
pub struct Files {
    open: Option<OpenDialog>,
    news: Option<FileNews>,
    /// The last known number of replacements of the scene collection.
    collection_changes: u64,
}

impl Files {
    /// Opens a dialog unless one is open already.
    pub fn ask(&mut self, ctx: &egui::Context, kind: Kind, folder: Option<PathBuf>) {
        if self.open.is_some() {
            return;
        }
        let (ctx, mut command) = (ctx.clone(), desktop_dialog(&kind, folder.clone()));
        let process = DialogProcess::start(&mut command, move || ctx.request_repaint());
        let provider = match process {
            Ok(process) => DialogProvider::Desktop(process),
            Err(error) => {
                tracing::warn!(%error, "opening the desktop's file dialog failed");
                DialogProvider::Own
            }
        };
        let own = matches!(provider, DialogProvider::Own);
        let (since, is_outdated) = (Instant::now(), false);
        self.open = Some(OpenDialog { kind, folder, since, provider, is_outdated });
        if own {
            self.use_own();
        }
    }

    /// Follows the scene collection. After a replacement, a result for the old collection is
    /// ignored, because its identifiers can belong to other objects now.
    pub fn follow_collection(&mut self, changes: u64) {
        if std::mem::replace(&mut self.collection_changes, changes) == changes {
            return;
        }
        if let Some(asked) = &mut self.open {
            asked.is_outdated |= asked.kind.is_for_collection();
        }
        let is_outdated =
            |news: &FileNews| matches!(news, FileNews::Chosen(kind, _) if kind.is_for_collection());
        self.news = self.news.take().filter(|news| !is_outdated(news));
    }

    /// Returns the next result or change that the window has not handled yet.
    pub fn poll(&mut self) -> Option<FileNews> {
        if let Some(OpenDialog { provider: DialogProvider::Desktop(process), .. }) = &self.open {
            match process.poll() {
                Some(DialogOutcome::NoDialog) => self.use_own(),
                Some(DialogOutcome::Chosen(paths)) => self.answer(Some(paths)),
                Some(DialogOutcome::Nothing) => self.open = None,
                None => {}
            }
        }
        self.news.take()
    }

    /// Returns true if the desktop's dialog has not responded for some time: either it is still
    /// open, or it never appeared.
    pub fn waits(&self) -> bool {
        self.open.as_ref().is_some_and(|asked| {
            matches!(asked.provider, DialogProvider::Desktop(..))
                && asked.since.elapsed() > DIALOG_TIMEOUT
        })
    }

    /// Opens onair's own chooser instead of the desktop's dialog, and ends the process of that
    /// dialog. A dialog of `zenity` is a separate program, which stays open; its result is ignored.
    pub fn use_own(&mut self) {
        if let Some(asked) = &mut self.open {
            asked.provider = DialogProvider::Own;
            let folder = asked.folder.clone();
            let folder = folder.or_else(|| asked.kind.own_folder(dirs::config_dir()));
            self.news = Some(FileNews::OpenOwn(asked.kind.chooser(), folder));
        }
    }

    /// Handles the choice in the dialog or in onair's own chooser; `None` means canceled.
    pub fn answer(&mut self, paths: Option<Vec<PathBuf>>) {
        let asked = self.open.take().filter(|asked| !asked.is_outdated);
        self.news = asked.zip(paths).map(|(asked, paths)| FileNews::Chosen(asked.kind, paths));
    }
}

/// Returns the command that opens the desktop's dialog.
fn desktop_dialog(kind: &Kind, folder: Option<PathBuf>) -> process::Command {
    let several = matches!(kind, Kind::PlaylistRequest(PlaylistRequest { at: None, .. }));
    let open = |mode, types, known: &[&str], name: &str| {
        dialog_process::command(mode, folder, (types, known), name)
    };
    match kind.offers() {
        Offers::Folders => open("folder", "", &[], ""),
        Offers::Files(types, known) => {
            open(if several { "files" } else { "file" }, types, &known, "")
        }
        Offers::NewFile(types, known, name) => open("new", types, known, &name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(kind: &Kind) -> Vec<&'static str> {
        match kind.offers() {
            Offers::Files(_, known) => known,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whatever_can_be_played_can_be_chosen() {
        let scene = SceneId(1);
        let clip =
            Kind::Transition(TransitionFile { scene: None, means: TransitionFilePart::Clip });
        for kind in [Kind::Source(FileRequest::Video, scene), clip] {
            assert!(VIDEO_EXTENSIONS.iter().all(|it| files(&kind).contains(it)), "{kind:?}");
        }
        for kind in [Kind::Strip(None), Kind::Watch] {
            let both = VIDEO_EXTENSIONS.iter().chain(&AUDIO_EXTENSIONS);
            assert!(both.into_iter().all(|it| files(&kind).contains(it)), "{kind:?}");
        }
        // The player does not support Y4M files, but scenes do.
        let y4m = |kind| files(&kind).contains(&"y4m");
        assert!(y4m(Kind::Source(FileRequest::Video, scene)) && !y4m(Kind::Watch));
        let slides = Kind::Source(FileRequest::Slides, scene);
        assert_eq!(slides.offers(), Offers::Folders);
        // onair creates the folder for recordings, but slides need an existing one.
        for (kind, may_be_new) in [(slides, false), (Kind::Folder, true)] {
            assert_eq!(kind.chooser(), ChooserKind::Folder { may_be_new });
        }
        let then =
            |pick| Kind::PlaylistRequest(PlaylistRequest { source: SourceId(1), pick, at: None });
        for kind in [Kind::Source(FileRequest::Slide, scene), then(FileRequest::Image)] {
            assert!(files(&kind).contains(&"png") && !files(&kind).contains(&"mp4"), "{kind:?}");
        }
        assert!(files(&then(FileRequest::Video)).contains(&"mp4"));
    }

    #[test]
    fn a_dialog_that_does_not_answer_gives_way_to_our_own() {
        let ctx = egui::Context::default();
        let process = DialogProcess::start(&mut process::Command::new("cat"), || {});
        let kind = Kind::PlaylistRequest(PlaylistRequest {
            source: SourceId(1),
            pick: FileRequest::Image,
            at: None,
        });
        let long_ago = Instant::now().checked_sub(DIALOG_TIMEOUT * 2).unwrap();
        let provider = DialogProvider::Desktop(process.unwrap());
        let (folder, since, is_outdated) = (None, long_ago, false);
        let open = OpenDialog { kind: kind.clone(), folder, since, provider, is_outdated };
        let mut files = Files { open: Some(open), ..Files::default() };
        assert_eq!(files.poll(), None);
        assert!(files.waits());
        // No second dialog opens behind the first one.
        files.ask(&ctx, Kind::Scenes, None);
        files.use_own();
        let endings = IMAGE_EXTENSIONS.map(str::to_owned).to_vec();
        let own = FileNews::OpenOwn(ChooserKind::Files { endings, several: true }, None);
        assert_eq!(files.poll(), Some(own));
        assert!(!files.waits());
        files.answer(Some(vec!["a.png".into()]));
        assert_eq!(files.poll(), Some(FileNews::Chosen(kind, vec!["a.png".into()])));
        assert_eq!(files.poll(), None);
    }

    #[test]
    fn an_export_suggests_the_name_of_its_collection_or_profile() {
        for kind in PartKind::ALL {
            let export = Kind::NewPart(kind, "Friday show".to_owned());
            match export.chooser() {
                ChooserKind::NewFile { name, .. } => assert_eq!(name, "Friday show.toml"),
                other => panic!("{other:?}"),
            }
            let dialog = desktop_dialog(&export, None);
            assert!(dialog.get_args().any(|word| word == "Friday show.toml"), "{dialog:?}");
        }
    }

    #[test]
    fn an_import_starts_in_the_folder_of_obs() {
        let config = tempfile::tempdir().unwrap();
        let kinds = [(PartKind::Collection, "scenes"), (PartKind::Profile, "profiles")];
        for (kind, name) in kinds {
            let import = Kind::Part(kind, false);
            let start = || import.own_folder(Some(config.path().to_owned()));
            assert_eq!(start(), None);
            let folder = config.path().join("obs-studio/basic").join(name);
            std::fs::create_dir_all(&folder).unwrap();
            assert_eq!(start(), Some(folder));
            let export = Kind::NewPart(kind, "Main".to_owned());
            assert_eq!(export.own_folder(Some(config.path().to_owned())), None);
        }
    }

    #[test]
    fn a_result_for_a_collection_that_was_replaced_is_ignored() {
        let another = Kind::Another(FileRequest::Image, SourceId(1));
        for (kind, stays) in [(another, false), (Kind::Watch, true)] {
            // The answer arrives before or after the collection is replaced.
            for answers_first in [false, true] {
                let (since, provider) = (Instant::now(), DialogProvider::Own);
                let (folder, is_outdated) = (None, false);
                let open = OpenDialog { kind: kind.clone(), folder, since, provider, is_outdated };
                let mut files = Files { open: Some(open), ..Files::default() };
                files.follow_collection(0);
                if answers_first {
                    files.answer(Some(vec!["a.png".into()]));
                    files.follow_collection(1);
                } else {
                    files.follow_collection(1);
                    files.answer(Some(vec!["a.png".into()]));
                }
                assert_eq!(files.poll().is_some(), stays, "{kind:?} {answers_first}");
                assert!(files.open.is_none());
            }
        }
    }
}
