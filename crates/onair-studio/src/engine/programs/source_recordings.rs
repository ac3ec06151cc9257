//! Records single sources, each at its own size and with its own audio. A recording that begins with
//! the program's has the same first instant, because all encoders are opened before any begins.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::Timestamp;
use crate::compose::scene::SourceId;
use crate::media::ExtraTracks;
use crate::media::source_status::{SourceFormat, SourceState};
use crate::mix::StripId;
use crate::studio::engine::Engine;
use crate::studio::event::{Event, ProgramName, Recording, RecordingState};
use crate::studio::live::on_air::{OnAir, Opened};
use crate::studio::live::source_recordings::{
    MAX_SOURCE_RECORDINGS, SourcePlace, path_beside, size_of,
};
use crate::studio::mixer::{AudioStrip, is_audio_of};
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::{CanvasContent, OtherCanvas, ProgramSound};
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::targets::quality::Quality;
use crate::text::Problem;
use crate::text::problem::problem;

/// The time after the end of a recording in which its last audio is mixed at the latest, in addition
/// to the delay of the mixer.
const LATE_AUDIO_MARGIN: Duration = Duration::from_millis(200);

/// A source whose encoders are open.
#[derive(Debug)]
pub struct OpenedSource {
    source: SourceId,
    place: SourcePlace,
    path: PathBuf,
    opened: Opened,
}

impl Engine {
    /// Records these sources alone, from the next broadcast or recording on, or now if one runs.
    pub fn record_sources(&mut self, sources: BTreeMap<SourceId, PathBuf>) {
        let recordings = &mut self.live.source_recordings;
        // A source that is being recorded goes on in its file.
        let is_new = |(source, _): &(SourceId, PathBuf)| !recordings.running.contains_key(source);
        recordings.wanted.extend(sources.into_iter().filter(is_new));
        if self.live.on_air.is_some() && !self.live.source_recordings.wanted.is_empty() {
            let opened = self.open_source_recordings();
            let now = self.clock.now();
            self.begin_source_recordings(opened, now);
            if let Some(on_air) = &mut self.live.on_air {
                on_air.record_after(now);
            }
        }
    }

    /// Records the sources whose switch is on beside this file of the program.
    pub fn want_source_recordings(&mut self, program: &Path) {
        let sources = self.settings.collection.sources.iter().filter(|source| source.record);
        let recordings = &mut self.live.source_recordings;
        recordings.switched_on = sources.clone().map(|source| source.id).collect();
        for source in sources.filter(|it| !recordings.running.contains_key(&it.id)) {
            let path = path_beside(program, &source.name);
            recordings.wanted.entry(source.id).or_insert(path);
        }
    }

    /// Follows the switches of sources while the program is recorded.
    fn follow_record_switches(&mut self) {
        let recording = self.live.on_air.as_ref().and_then(OnAir::recording);
        let Some(path) = recording.map(|it| it.recorder.figures().path) else { return };
        let sources = self.settings.collection.sources.iter().filter(|source| source.record);
        let now: BTreeSet<SourceId> = sources.clone().map(|source| source.id).collect();
        let before = std::mem::replace(&mut self.live.source_recordings.switched_on, now.clone());
        let running = &self.live.source_recordings.running;
        let is_new = |id: &SourceId| !before.contains(id) && !running.contains_key(id);
        let new = sources.filter(|source| is_new(&source.id));
        let new: BTreeMap<SourceId, PathBuf> =
            new.map(|source| (source.id, path_beside(&path, &source.name))).collect();
        if !new.is_empty() {
            self.record_sources(new);
        }
        for source in before.difference(&now) {
            self.stop_source_recording(Some(*source));
        }
    }

    /// Returns true if a source that will be recorded is opening, so that its size is not known.
    pub fn awaits_recorded_sources(&self) -> bool {
        let Some(program) = &self.state.program else { return false };
        let switched = self.settings.collection.sources.iter().filter(|source| source.record);
        let wanted = self.live.source_recordings.wanted.keys().copied();
        wanted.chain(switched.map(|source| source.id)).any(|id| {
            let report = program.source_report(id);
            report.state == SourceState::Opening && report.format == SourceFormat::Unknown
        })
    }

    /// Ends the recording of this source, or of all sources.
    pub fn stop_source_recording(&mut self, source: Option<SourceId>) {
        let recordings = &mut self.live.source_recordings;
        let is_it = |id: &SourceId| source.is_none_or(|source| source == *id);
        recordings.wanted.retain(|id, _| !is_it(id));
        let ended: Vec<_> = recordings.running.extract_if(.., |id, _| is_it(id)).collect();
        for (_, place) in &ended {
            self.stop_program(place.program());
        }
        if let Some(program) = self.state.program.as_ref().filter(|_| !ended.is_empty()) {
            // A strip with a sync offset gives the last audio later.
            let until = self.clock.now() + program.mixer().lag();
            self.live.source_recordings.end_at(&ended, until + LATE_AUDIO_MARGIN);
        }
    }

    /// Ends the recordings of all sources.
    pub fn stop_source_recordings(&mut self) {
        self.stop_source_recording(None);
    }

    /// Ends recordings of sources that were removed, and forgets recordings that have failed.
    pub fn poll_source_recordings(&mut self) {
        self.follow_record_switches();
        if self.live.source_recordings.forget_ended(self.clock.now()) {
            self.set_strips();
        }
        let (collection, others) = (&self.settings.collection, &self.live.others);
        let is_over = |(source, place): &(&SourceId, &SourcePlace)| {
            let is_there = **source == MAIN_SOURCE || collection.source(**source).is_some();
            let is_recording = others.get(&place.program()).is_some_and(OnAir::is_recording);
            !is_there || !is_recording
        };
        let over = self.live.source_recordings.running.iter().filter(is_over);
        let over: Vec<SourceId> = over.map(|(source, _)| *source).collect();
        for source in over {
            self.stop_source_recording(Some(source));
        }
    }

    /// Opens the encoders of the sources to be recorded.
    pub fn open_source_recordings(&mut self) -> Vec<OpenedSource> {
        let wanted = std::mem::take(&mut self.live.source_recordings.wanted);
        let mut opened = Vec::new();
        for (source, path) in wanted {
            match self.open_source_recording(source, path.clone()) {
                Ok(source) => opened.push(source),
                Err(reason) => self.source_not_recorded(source, path, reason),
            }
        }
        if !opened.is_empty() {
            // The strips of the sources are mixed into their tracks.
            self.set_strips();
        }
        opened
    }

    fn open_source_recording(
        &mut self,
        source: SourceId,
        path: PathBuf,
    ) -> Result<OpenedSource, Problem> {
        let place = self.live.source_recordings.free_place();
        let most = MAX_SOURCE_RECORDINGS;
        let place = place.ok_or_else(|| problem!("record-source-full", most = most))?;
        let has_sound = self.strip_of(source).is_some();
        let name = self.recorded_name(source);
        let Some(program) = &mut self.state.program else {
            return Err(problem!("record-source-off"));
        };
        let frame_rate = self.state.quality.frame_rate;
        let size = size_of(&program.source_report(source), self.state.quality.size);
        let canvas = OtherCanvas { shows: CanvasContent::Source(source), size, rate: frame_rate };
        let sound = match has_sound {
            true => ProgramSound::Track(place.track()),
            false => ProgramSound::None,
        };
        program.set_other(place.program(), Some(canvas), &self.settings.collection);
        let quality = Quality { size, frame_rate, ..self.state.quality.clone() };
        let id = (place.program(), ProgramName::Source(name));
        let own = self.settings.preferences.recording.own().applied_to(&quality);
        let opened = own.map(|own| OnAir::open(program, id.clone(), sound, &own, self.clock));
        let (opened, own_failed) = match opened {
            Some(Ok(opened)) => (Some(Ok(opened)), None),
            Some(Err(reason)) => (None, Some(reason)),
            None => (None, None),
        };
        let open = || OnAir::open(program, id, sound, &quality, self.clock);
        let opened = opened.unwrap_or_else(open);
        if let Some(reason) = own_failed {
            self.notices.raise(&StudioMessage::RecordingEncoderFailed { reason }, "");
        }
        match opened {
            Ok(opened) => {
                self.live.source_recordings.running.insert(source, place);
                Ok(OpenedSource { source, place, path, opened })
            }
            Err(reason) => {
                program.set_other(place.program(), None, &self.settings.collection);
                Err(reason)
            }
        }
    }

    /// Begins the recordings of these sources at this instant.
    pub fn begin_source_recordings(&mut self, sources: Vec<OpenedSource>, from: Timestamp) {
        for OpenedSource { source, place, path, opened } in sources {
            let Some(program) = &self.state.program else { continue };
            let (on_air, _) = opened.begin(program, from);
            self.record_program(place.program(), on_air, &path, None);
            if !self.live.others.contains_key(&place.program()) {
                self.live.source_recordings.running.remove(&source);
            }
        }
    }

    /// Closes encoders that never began.
    pub fn close_source_recordings(&mut self, sources: Vec<OpenedSource>) {
        for OpenedSource { source, place, .. } in sources {
            self.live.source_recordings.running.remove(&source);
            if let Some(program) = &mut self.state.program {
                program.detach(place.program(), Duration::ZERO);
                program.set_other(place.program(), None, &self.settings.collection);
            }
        }
    }

    fn source_not_recorded(&mut self, source: SourceId, path: PathBuf, reason: Problem) {
        let message = StudioMessage::RecordingNotStarted {
            path: path.display().to_string(),
            reason: reason.clone(),
        };
        self.source_event(source, path, Some(reason));
        self.notices.raise(&message, "");
    }

    /// Reports that the recording of a source failed before it began.
    fn source_event(&mut self, source: SourceId, path: PathBuf, reason: Option<Problem>) {
        self.notices.send_event(Event::Recording(Recording {
            program: ProgramName::Source(self.recorded_name(source)),
            path,
            state: RecordingState::Failed,
            duration: Duration::ZERO,
            bytes: 0,
            reason,
            part: 1,
            paused: false,
        }));
    }

    /// Returns the name of a source. The main source has none of its own.
    fn recorded_name(&self, source: SourceId) -> String {
        let named = self.settings.collection.source(source);
        named.map_or_else(|| "main".to_owned(), |source| source.name.clone())
    }

    /// Returns the strip with the audio of a source. The main strip belongs to the main source if
    /// that has no audio of its own.
    fn strip_of(&self, source: SourceId) -> Option<StripId> {
        let strips = self.settings.strips.iter();
        strips.filter(|strip| self.is_strip_of(strip, source)).map(|strip| strip.id).next()
    }

    /// Returns true if a strip has the audio of this source.
    fn is_strip_of(&self, strip: &AudioStrip, source: SourceId) -> bool {
        let Some(program) = &self.state.program else { return false };
        let audio = program.choice_of(strip);
        match self.settings.collection.source(source) {
            Some(source) => is_audio_of(audio, &source.choice),
            None => source == MAIN_SOURCE && strip.id == StripId::MAIN && program.has_main_audio(),
        }
    }

    /// Returns the tracks that recordings of sources add to a strip.
    pub fn source_tracks(&self, strip: &AudioStrip) -> ExtraTracks {
        self.live.source_recordings.tracks_of(|source| self.is_strip_of(strip, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::engine::handlers::live::tests::at_rest;

    #[test]
    fn a_source_that_is_being_recorded_is_not_recorded_again() {
        let (mut engine, _ends) = at_rest(None);
        let place = SourcePlace::all().next().unwrap();
        engine.live.source_recordings.running.insert(SourceId(1), place);
        let file = |id| (SourceId(id), PathBuf::from("source.mkv"));
        engine.record_sources(BTreeMap::from([file(1), file(2)]));
        let wanted: Vec<_> = engine.live.source_recordings.wanted.keys().copied().collect();
        assert_eq!(wanted, [SourceId(2)]);
    }
}
