//! Sources in lists: the icon of their kind, and their state.

use std::path::PathBuf;

use crate::capture::text::Content as TextContent;
use crate::capture::{VideoChoice, VideoFallback, names_image};
use crate::compose::scene::{Content, Item, SourceId};
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::snapshot::SourceState;
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::text::{format, sentence};
use crate::ui::view::View;

/// The state lamp of a row, whose states differ in shape as well as in color.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RowLamp {
    None,
    /// The source delivers data.
    Good,
    /// The source is opening.
    Opening,
    /// The source has a problem.
    Bad,
    /// The scene is on air.
    OnAir,
    /// The scene is in the program, which is not on air.
    Program,
    /// The scene was on air until the connection was lost.
    OffAir,
    /// The scene is in the preview.
    Preview,
}

/// Returns the icon for a kind of source.
pub fn icon_of_choice(choice: &VideoChoice) -> Icon {
    match choice {
        VideoChoice::Camera(_) => Icon::Camera,
        VideoChoice::Screen(_) => Icon::Screen,
        VideoChoice::Window(_) => Icon::Window,
        VideoChoice::Test => Icon::TestPattern,
        VideoChoice::File(_) => Icon::Film,
        VideoChoice::Image(_) => Icon::Image,
        VideoChoice::Slides(_) => Icon::Slides,
        VideoChoice::Color(_) => Icon::Color,
        VideoChoice::Text(TextContent::Clock(_)) => Icon::Clock,
        VideoChoice::Text(TextContent::Countdown(_)) => Icon::Countdown,
        VideoChoice::Text(TextContent::Stopwatch) => Icon::Stopwatch,
        VideoChoice::Text(TextContent::Chat(_) | TextContent::GuestName(_)) => Icon::Text,
        VideoChoice::Text(TextContent::File(_)) => Icon::Document,
        VideoChoice::Text(TextContent::Words(_)) => Icon::Text,
        VideoChoice::Stream(_) => Icon::Stream,
        VideoChoice::Browser(_) => Icon::Browser,
        VideoChoice::Guest(_) => Icon::Stream,
        VideoChoice::None => Icon::NoVideo,
    }
}

/// Returns the icon for the content of an item.
pub fn icon_of(view: &View<'_>, item: &Item) -> Icon {
    match item.content {
        Content::Source(id) => view.snapshot.shown_by(id).map_or(Icon::NoVideo, icon_of_choice),
        Content::Group(_) => Icon::Folder,
        Content::Scene(_) => Icon::Scene,
    }
}

/// Returns the state of an item's content, as a lamp and as text. A group or a scene has neither.
pub fn state_of(view: &View<'_>, item: &Item) -> (RowLamp, String) {
    match item.content {
        Content::Source(id) => state_of_source(view, id),
        Content::Group(_) | Content::Scene(_) => (RowLamp::None, String::new()),
    }
}

fn state_of_source(view: &View<'_>, id: SourceId) -> (RowLamp, String) {
    let texts = view.texts;
    let main = view.snapshot.video.as_ref().filter(|_| id == MAIN_SOURCE);
    let known = view.snapshot.scenes.source(id);
    let state = known.map(|it| it.state).or(main.map(|it| it.state));
    let shown = view.snapshot.shown_by(id).filter(|choice| **choice != VideoChoice::None);
    let (Some(state), Some(choice)) = (state, shown) else { return (RowLamp::None, String::new()) };
    let is_incomplete =
        known.is_some_and(|it| !it.left_out.is_empty() || !it.filter_problems.is_empty());
    let words = match state {
        SourceState::Open if is_incomplete => {
            return (RowLamp::Bad, texts.get("source-incomplete").to_string());
        }
        SourceState::Open => {
            // Generated content cannot fail, so it has no lamp.
            let lamp = if VideoFallback::suits(choice) { RowLamp::Good } else { RowLamp::None };
            let size =
                known.and_then(|it| it.size).map(|size| format!(" · {}", format::size(size)));
            return (lamp, texts.get("state-open").to_string() + &size.unwrap_or_default());
        }
        SourceState::Opening => return (RowLamp::Opening, texts.get("state-opening").to_string()),
        SourceState::Stalled => key!("state-stalled"),
        SourceState::Lost => key!("state-lost"),
        SourceState::Failed => key!("state-failed"),
    };
    let words = texts.get(words).to_string();
    let reason = known.map(|it| &it.reason).filter(|reason| !reason.is_empty());
    match reason {
        None => (RowLamp::Bad, words),
        Some(reason) => {
            let reason = sentence(&texts.say_with_cure(reason));
            (RowLamp::Bad, format!("{words}\n{reason}"))
        }
    }
}

/// The kind of a dropped file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    Video(VideoChoice),
    /// Audio without video.
    Audio(PathBuf),
}

/// Determines the kind of a file or folder by its name. A file of unknown kind is played if
/// possible.
pub fn what_is(path: PathBuf) -> Dropped {
    const AUDIO_EXTENSIONS: [&str; 9] =
        ["mp3", "flac", "ogg", "oga", "opus", "aac", "wav", "m4a", "mka"];
    let ending = path.extension().map(|it| it.to_string_lossy().to_lowercase()).unwrap_or_default();
    if AUDIO_EXTENSIONS.contains(&ending.as_str()) {
        return Dropped::Audio(path);
    }
    Dropped::Video(match ending.as_str() {
        _ if path.is_dir() => VideoChoice::Slides(path),
        _ if names_image(&path) => VideoChoice::Image(path),
        "txt" => VideoChoice::Text(TextContent::File(path)),
        _ => VideoChoice::File(path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shown_by_their_names() {
        for (path, shown) in [
            ("/a/Logo.PNG", "image:/a/Logo.PNG"),
            ("/a/clip.MP4", "file:/a/clip.MP4"),
            ("/a/score.txt", "text-file:/a/score.txt"),
            ("/", "slides:/"),
            ("/a/nothing", "file:/a/nothing"),
        ] {
            assert_eq!(what_is(path.into()), Dropped::Video(shown.parse().unwrap()), "{path}");
        }
        assert_eq!(what_is("/a/song.MP3".into()), Dropped::Audio("/a/song.MP3".into()));
    }
}
