//! Programs beside the main one, made from the same sources: programs on other canvases, and sources
//! that are recorded alone. Each has its own encoders and hub, and all share the instants of the
//! frame grid and of the mixer, so their files belong together. A failure of one never affects the
//! main program.

pub(crate) mod running;
mod second_canvas;
mod source_recordings;

use std::path::Path;
use std::time::Duration;

use crate::media::{ExtraTracks, ProgramId, Size};
use crate::studio::command::ProgramCommand;
use crate::studio::engine::Engine;
use crate::studio::event::{Event, ProgramName, Recording, RecordingState};
use crate::studio::live::on_air::OnAir;
use crate::studio::live::outputs::OutputNews;
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::live::recording::own_encode::OpenedEncode;
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::{OtherCanvas, ProgramSound};
use crate::studio::targets::quality::Quality;
use crate::text::Problem;

impl Engine {
    pub fn handle_programs(&mut self, command: ProgramCommand) {
        match command {
            ProgramCommand::SetCanvas(canvas) => self.set_canvas(canvas),
            ProgramCommand::ShowCanvas(shown) => self.show_canvas(shown),
            ProgramCommand::RecordCanvas(path) => self.record_canvas(path),
            ProgramCommand::RecordSources(sources) => self.record_sources(sources),
            ProgramCommand::StopSource(source) => self.stop_source_recording(Some(source)),
        }
    }

    /// Encodes and records another program made from the same sources.
    pub fn start_program(&mut self, id: ProgramId, canvas: OtherCanvas, path: &Path) {
        self.stop_program(id);
        let Some(program) = &mut self.state.program else { return };
        if id == ProgramId::MAIN || self.state.quitting {
            return;
        }
        program.set_other(id, Some(canvas), &self.settings.collection);
        let OtherCanvas { size, rate: frame_rate, .. } = canvas;
        let quality = Quality { size, frame_rate, ..self.state.quality.clone() };
        let (name, sound) = (ProgramName::Second, ProgramSound::of(program));
        match OnAir::open(program, (id, name), sound, &quality, self.clock) {
            Ok(opened) => {
                let (on_air, _) = opened.begin(program, self.clock.now());
                self.record_program(id, on_air, path, None);
            }
            Err(reason) => {
                program.set_other(id, None, &self.settings.collection);
                self.notices.raise(&StudioMessage::EncoderFailed { reason }, "");
            }
        }
    }

    /// Records a program that has begun. If the file cannot be created, and no target gets the
    /// program, it ends.
    fn record_program(
        &mut self,
        id: ProgramId,
        mut on_air: OnAir,
        path: &Path,
        own: Option<OpenedEncode>,
    ) {
        let Some(program) = &self.state.program else { return };
        let mut choices = self.settings.preferences.recording.clone();
        choices.mix = self.settings.canvas.mix;
        let tracks = (ExtraTracks::NONE, &TrackNames::default());
        let journal = self.config.journal.clone();
        match on_air.record(path, &choices, journal, tracks, program, own) {
            Ok(recording) => {
                self.live.others.insert(id, on_air);
                self.notices.send_event(Event::Recording(recording));
            }
            Err(error) => {
                let (shown, reason) = (path.display().to_string(), error.problem());
                self.notices.send_event(Event::Recording(Recording {
                    program: on_air.name().clone(),
                    path: path.to_owned(),
                    state: RecordingState::Failed,
                    duration: Duration::ZERO,
                    bytes: 0,
                    reason: Some(reason.clone()),
                    part: 1,
                    paused: false,
                }));
                let is_needed = on_air.is_publishing();
                self.live.others.insert(id, on_air);
                if !is_needed {
                    self.stop_program(id);
                }
                let message = StudioMessage::RecordingNotStarted { path: shown, reason };
                self.notices.raise(&message, "");
            }
        }
    }

    /// Opens the encoder that the recording of a program of this size has beside that of the stream.
    /// `None` is the size of the main program. If the encoder cannot be opened, the recording gets the
    /// frames of the stream.
    pub fn open_own_encode(
        &mut self,
        name: ProgramName,
        size: Option<Size>,
    ) -> Option<OpenedEncode> {
        if self.live.on_air.is_none() {
            // The encoder gets the frames of the broadcast that begins next.
            self.apply_quality();
        }
        let stream = self.state.quality.clone();
        let quality = Quality { size: size.unwrap_or(stream.size), ..stream };
        let program = self.state.program.as_ref()?;
        if name == ProgramName::Main && !program.has_video() {
            return None;
        }
        let own = self.settings.preferences.recording.own();
        let (own, composed) = match name {
            ProgramName::Main => (own, program.compositor().config().size),
            _ => (own.at_any_size(), quality.size),
        };
        match OpenedEncode::open(&own.configs(&quality), composed)? {
            Ok(own) => {
                self.notices.send_event(Event::Encoder(own.event(name)));
                Some(own)
            }
            Err(reason) => {
                self.notices.raise(&StudioMessage::RecordingEncoderFailed { reason }, "");
                None
            }
        }
    }

    /// Ends another program in the background; its sources continue.
    pub fn stop_program(&mut self, id: ProgramId) {
        let Some(on_air) = self.live.others.remove(&id) else { return };
        if let Some(program) = &mut self.state.program {
            program.detach(id, on_air.late_audio_wait(self.state.quitting));
            program.set_other(id, None, &self.settings.collection);
        }
        let words = self.last_words.0.clone();
        self.endings.broadcasts.extend(on_air.end(self.state.quitting, words));
    }

    /// Reports that a program cannot go on, and ends it. The main program goes on.
    fn program_failed(&mut self, id: ProgramId, reason: Problem) {
        let recording = self.live.others.get(&id).and_then(OnAir::recording);
        let path = recording.map(|it| it.recorder.figures().path.display().to_string());
        self.stop_program(id);
        self.notices.raise(
            &match path {
                Some(path) => StudioMessage::RecordingFailed { path, reason },
                None => StudioMessage::RenditionFailed { reason },
            },
            "",
        );
    }

    /// Polls all programs except the main one.
    pub fn poll_programs(&mut self) {
        let now = self.clock.now();
        let (mut looked, mut failed) = (Vec::new(), Vec::new());
        for (id, on_air) in &mut self.live.others {
            for news in on_air.poll(now) {
                match news {
                    OutputNews::Encoder(reason) => failed.push((*id, reason)),
                    news => looked.push(news),
                }
            }
        }
        self.all_happened(looked);
        for (id, reason) in failed {
            self.program_failed(id, reason);
        }
        self.poll_source_recordings();
        self.poll_second();
    }

    /// Ends the recordings of sources and of the second canvas after the recording of the main
    /// program has failed, once nothing is sent any longer.
    pub fn end_recordings_beside(&mut self) {
        if self.live.has_recording_failed && !self.live.is_publishing() {
            self.live.has_recording_failed = false;
            self.stop_source_recordings();
            self.stop_second_recording();
        }
    }

    /// Ends all programs except the main one.
    pub fn stop_programs(&mut self) {
        self.stop_source_recordings();
        for id in self.live.others.keys().copied().collect::<Vec<_>>() {
            self.stop_program(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::engine::handlers::live::tests::{end, with_program};
    use crate::studio::live::second_canvas::SecondCanvas;

    #[test]
    fn recordings_beside_a_main_one_that_failed_end_once_nothing_is_sent() {
        let (mut engine, _ends) = with_program(None);
        let folder = tempfile::tempdir().unwrap();
        let size = Size::new(180, 320);
        engine.settings.canvas = SecondCanvas { enabled: true, size, ..SecondCanvas::default() };
        engine.record_canvas(folder.path().join("tall.mkv"));
        engine.start_recording(folder.path().join("show.mkv"));
        let is_recorded = |engine: &Engine| engine.second_on_air().is_some_and(OnAir::is_recording);
        engine.end_recordings_beside();
        assert!(is_recorded(&engine), "the main recording runs");
        engine.live.has_recording_failed = true;
        engine.end_recordings_beside();
        assert!(!is_recorded(&engine) && !engine.live.has_recording_failed);
        end(engine);
    }

    #[test]
    fn no_recording_goes_on_beside_a_main_one_that_did_not_begin() {
        let (mut engine, ends) = with_program(None);
        let folder = tempfile::tempdir().unwrap();
        let size = Size::new(180, 320);
        engine.settings.canvas = SecondCanvas { enabled: true, size, ..SecondCanvas::default() };
        engine.record_canvas(folder.path().join("tall.mkv"));
        // No container has this extension.
        engine.start_recording(folder.path().join("show.txt"));
        let has_begun = std::iter::from_fn(|| ends.events.try_recv().ok()).any(|event| {
            let Event::Recording(it) = event else { return false };
            it.program == ProgramName::Second && it.state == RecordingState::Writing
        });
        assert!(has_begun);
        assert!(engine.live.all().next().is_none());
        end(engine);
    }
}
