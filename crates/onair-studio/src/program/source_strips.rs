//! Manages strips of the media files and streams in scenes. The first use of a file or stream adds
//! its strip, and the last use removes it, so that a clip is audible when it is visible.

use crate::audio::{self, AudioChoice};
use crate::capture::VideoChoice;
use crate::media::playback_control::EndBehavior;
use crate::media::source_status::SourceReport;
use crate::mix::StripId;
use crate::studio::mixer::{AudioStrip, TalkMode, audio_of, clean_name, free_id, is_audio_of};
use crate::studio::program::Program;
use crate::studio::scenes::{Collection, MAIN_SOURCE, Source};
use crate::studio::sources::open::ShownFiles;

/// Returns the audio of the visible sources.
pub fn seen(program: &Program, collection: &Collection) -> Vec<AudioChoice> {
    let choices = program.seen().iter().filter_map(|id| match *id {
        MAIN_SOURCE => Some(program.video_choice()),
        id => collection.source(id).map(|source| &source.choice),
    });
    choices.filter_map(audio_of).collect()
}

impl Program {
    /// Returns true if there is audio to encode.
    pub fn has_audio(&self) -> bool {
        self.audio.choice != AudioChoice::None || self.strips.has_sources()
    }

    /// Returns true if the main strip has a source.
    pub fn has_main_audio(&self) -> bool {
        self.audio.choice != AudioChoice::None
    }

    /// Returns the source of a strip. The main strip's source is the chosen audio source.
    pub fn choice_of<'a>(&'a self, strip: &'a AudioStrip) -> &'a AudioChoice {
        if strip.id == StripId::MAIN { &self.audio.choice } else { &strip.choice }
    }

    /// Returns a strip with the source that it plays. The saved main strip contains no source.
    pub fn resolved(&self, strip: &AudioStrip) -> AudioStrip {
        AudioStrip { choice: self.choice_of(strip).clone(), ..strip.clone() }
    }

    /// Returns the last report of a strip's fallback, if the fallback is open.
    pub fn fallback_report(&self, id: StripId) -> Option<&SourceReport> {
        if id == StripId::MAIN {
            self.audio_fallback.last_report()
        } else {
            self.strips.fallback_report(id)
        }
    }

    /// Gives the opener of audio the files that these sources show. WAV files that already play are
    /// opened again, so that they follow their sources. A strip whose file could not be opened
    /// plays as soon as other files follow it. The sources report failures.
    pub fn set_shown_files(&mut self, sources: &[Source]) {
        let mut shown = ShownFiles::new();
        for source in sources {
            if let VideoChoice::File(path) = &source.choice {
                let then = &source.properties.files;
                shown.entry(path.clone()).or_default().extend_from_slice(then);
            }
        }
        let added = self.media.set_shown(shown);
        let lists = self.media.lists();
        let is_due = |choice: &AudioChoice| {
            choice.path().is_some_and(|path| added.contains(path)) && audio::hears(choice)
        };
        let shape = self.shape();
        let mut open = |choice: &AudioChoice, at_end| self.media.open_audio(choice, at_end, &shape);
        self.strips.reopen(&is_due, &mut open, &self.mixer);
        let begins_list = |choice: &AudioChoice| choice.path().is_some_and(|it| lists.contains(it));
        self.strips.retry(begins_list, false, &mut open, &self.mixer);
        if !self.audio.failed() && is_due(&self.audio.choice) {
            let before = self.audio.last_report.clone();
            self.select_audio(self.audio.choice.clone(), self.audio_end.at_end);
            if !self.audio.failed() {
                // The next change ends the notices about the previous state.
                self.audio.last_report = before;
            }
        }
    }
}

/// Returns the last reports of all open audio sources and of their fallbacks.
pub fn last_reports(program: &Program) -> impl Iterator<Item = &SourceReport> {
    let main = std::iter::once(&program.audio.last_report);
    main.chain(program.audio_fallback.last_report()).chain(program.strips.last_reports())
}

/// Returns true if one of these sources shows the same media.
pub fn is_shown(sources: &[Source], audio: &AudioChoice) -> bool {
    sources.iter().any(|source| is_audio_of(audio, &source.choice))
}

/// Returns the end behavior of a source that shows the same media as this audio. That behavior
/// applies to both.
pub fn shown_end(
    sources: &[Source],
    main: (&VideoChoice, EndBehavior),
    audio: &AudioChoice,
) -> Option<EndBehavior> {
    let source = sources.iter().find(|source| is_audio_of(audio, &source.choice));
    source
        .map(|source| source.properties.at_end)
        .or_else(|| is_audio_of(audio, main.0).then_some(main.1))
}

/// Updates the strips after sources were added, removed or changed. Audio that a strip or the main
/// strip (`main`) already plays gets no new strip. `has_audio` checks whether a new source has
/// audio. Returns the names of sources for which no strip is free.
pub fn follow(
    strips: &mut Vec<AudioStrip>,
    main: Option<&AudioChoice>,
    before: &[Source],
    after: &[Source],
    has_audio: &dyn Fn(&VideoChoice) -> bool,
) -> Vec<String> {
    let is_played = |strips: &[AudioStrip], audio: &AudioChoice| {
        let own = strips.iter().filter(|strip| strip.id != StripId::MAIN);
        main == Some(audio) || own.into_iter().any(|strip| strip.choice == *audio)
    };
    for source in before {
        let Some(gone) = audio_of(&source.choice) else { continue };
        let now = after.iter().find(|it| it.id == source.id);
        let mut own = strips.iter_mut().filter(|it| it.id != StripId::MAIN && it.choice == gone);
        if is_shown(after, &gone) {
            // A strip that had the name of its source is renamed with the source.
            let renamed = now.filter(|now| now.choice == source.choice);
            let strip = own.find(|strip| strip.name == clean_name(&source.name));
            if let (Some(strip), Some(now)) = (strip, renamed) {
                strip.name = clean_name(&now.name);
            }
            continue;
        }
        // The strip of a moved file keeps its settings.
        let fallback = now.and_then(|now| audio_of(&now.choice));
        match fallback.filter(|audio| !is_played(strips, audio)) {
            Some(audio) => strips
                .iter_mut()
                .filter(|it| it.id != StripId::MAIN && it.choice == gone)
                .for_each(|strip| strip.choice = audio.clone()),
            None => strips.retain(|it| it.id == StripId::MAIN || it.choice != gone),
        }
    }
    let mut without_strip = Vec::new();
    for source in after {
        let Some(audio) = audio_of(&source.choice) else { continue };
        let new = !is_shown(before, &audio) && !is_played(strips, &audio);
        if !new || !has_audio(&source.choice) {
            continue;
        }
        let name = clean_name(&source.name);
        match free_id(strips) {
            Some(id) => {
                let talk = TalkMode::WhileShown;
                strips.push(AudioStrip { name, talk, ..AudioStrip::new(id, audio) });
            }
            None => without_strip.push(name),
        }
    }
    without_strip
}

/// Returns the strips without those of sources that only the program of studio mode still shows.
pub fn without_program(strips: &[AudioStrip], collection: &Collection) -> Vec<AudioStrip> {
    let (mut own, after) = (strips.to_vec(), collection.without_program().sources);
    follow(&mut own, None, &collection.sources, &after, &|_| false);
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Properties;
    use crate::compose::scene::SourceId;
    use crate::studio::mixer::MAX_MIXER_STRIPS;

    fn source(id: u32, name: &str, choice: &str) -> Source {
        Source {
            id: SourceId(id),
            name: name.into(),
            choice: choice.parse().unwrap(),
            filters: Vec::new(),
            properties: Properties::default(),
            fallback: Default::default(),
            record: false,
        }
    }

    struct Strips(Vec<AudioStrip>, Option<AudioChoice>);

    impl Strips {
        fn new() -> Self {
            Self(vec![AudioStrip::main()], Some(AudioChoice::Mic(None)))
        }

        /// Returns the names and sources of all strips except the main one.
        fn after(&mut self, before: &[Source], after: &[Source]) -> Vec<(String, String)> {
            follow(&mut self.0, self.1.as_ref(), before, after, &|_| true);
            let own = self.0.iter().filter(|strip| strip.id != StripId::MAIN);
            own.map(|strip| (strip.name.clone(), strip.choice.to_string())).collect()
        }
    }

    fn strip(name: &str, choice: &str) -> (String, String) {
        (name.to_owned(), choice.to_owned())
    }

    #[test]
    fn a_clip_has_one_strip_from_its_first_use_to_its_last() {
        let mut strips = Strips::new();
        let clip = source(1, "Clip", "file:/a.mp4");
        let again = source(2, "Clip 2", "file:/a.mp4");
        let guest = source(3, "Guest", "stream:rtmp://host/live/a");
        let mute = [source(4, "Raw", "file:/a.Y4M"), source(5, "Logo", "image:/a.png")];
        let there = [clip.clone(), again.clone(), guest.clone(), mute[0].clone(), mute[1].clone()];
        let both = [strip("Clip", "file:/a.mp4"), strip("Guest", "stream:rtmp://host/live/a")];
        assert_eq!(strips.after(&[], &there), both);
        assert_eq!(
            strips.after(&there, &[again.clone(), guest.clone()]),
            both,
            "it is still shown"
        );
        let own = std::slice::from_ref(&guest);
        assert_eq!(strips.after(&[again, guest.clone()], own), both[1..]);
        // A strip that the user removed does not return with another source.
        strips.0.truncate(1);
        assert_eq!(strips.after(own, &[guest.clone(), clip]), both[..1]);
    }

    #[test]
    fn a_strip_follows_a_file_that_was_moved_or_is_called_otherwise() {
        let mut strips = Strips::new();
        let clip = source(1, "Clip", "file:/a.mp4");
        strips.after(&[], std::slice::from_ref(&clip));
        strips.0[1].strip.gain_db = -6.0;
        let moved = source(1, "Clip", "file:/b.mp4");
        let found = strips.after(std::slice::from_ref(&clip), std::slice::from_ref(&moved));
        assert_eq!(found, [strip("Clip", "file:/b.mp4")]);
        assert_eq!(strips.0[1].strip.gain_db, -6.0);
        let called = source(1, "Opening", "file:/b.mp4");
        let found = strips.after(std::slice::from_ref(&moved), std::slice::from_ref(&called));
        assert_eq!(found, [strip("Opening", "file:/b.mp4")]);
        strips.0[1].name = "Mine".into();
        let found = strips.after(std::slice::from_ref(&called), std::slice::from_ref(&moved));
        assert_eq!(found, [strip("Mine", "file:/b.mp4")], "what a person called it stays");
        assert_eq!(strips.after(&[moved], &[source(1, "Clip", "test")]), []);
    }

    #[test]
    fn a_source_that_is_audible_already_or_has_no_audio_gets_no_strip() {
        let mut strips = Strips::new();
        strips.0.push(AudioStrip::new(StripId(1), "file:/a.mp4".parse().unwrap()));
        strips.1 = Some("file:/b.mp4".parse().unwrap());
        let sources = [source(1, "A", "file:/a.mp4"), source(2, "B", "file:/b.mp4")];
        assert_eq!(strips.after(&[], &sources), [strip("", "file:/a.mp4")]);
        let raw = [source(3, "Raw", "file:/raw")];
        follow(&mut strips.0, None, &[], &raw, &|_| false);
        assert_eq!(strips.0.len(), 2);
        let many: Vec<Source> =
            (0..40).map(|id| source(id, "Many", &format!("file:/{id}.mp4"))).collect();
        assert_eq!(strips.after(&[], &many).len() + 1, MAX_MIXER_STRIPS);
        let last = [source(40, "Last", "file:/last.mp4"), source(41, "Mute", "test")];
        let more = [many, last.to_vec()].concat();
        let without_strip = follow(&mut strips.0, None, &more[..40], &more, &|_| true);
        assert_eq!(without_strip, ["Last"], "what it is too much for, once");
    }
}
