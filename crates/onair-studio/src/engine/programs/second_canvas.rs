//! The program of the second canvas. It has its own scene, size, encoder, targets and recording, and
//! shares everything else: sources, mixer, frame rate and bitrates. It runs only while the main
//! program is sent or recorded, and begins at the same instant.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::Timestamp;
use crate::media::ExtraTracks;
use crate::studio::engine::Engine;
use crate::studio::event::ProgramName;
use crate::studio::event::stats::Canvas;
use crate::studio::live::on_air::{OnAir, Opened};
use crate::studio::live::outputs::OutputNews;
use crate::studio::live::outputs::target::WantedTarget;
use crate::studio::live::recording::audio_tracks;
use crate::studio::live::second_canvas::{SECOND_PROGRAM, SecondCanvas};
use crate::studio::live::source_recordings::path_beside;
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::{CanvasContent, OtherCanvas, ProgramSound};
use crate::studio::targets::quality::Quality;
use crate::studio::targets::{Target, address};

impl Engine {
    /// Returns the canvas to draw, if there is one. While it is encoded, its size stays.
    fn second_canvas(&self) -> Option<OtherCanvas> {
        let canvas = &self.settings.canvas;
        let collection = &self.settings.collection;
        let scene = collection.scene_named(&canvas.scene).map_or(collection.current, |it| it.id);
        let program = self.state.program.as_ref();
        let running = self.second_on_air().and_then(|_| program?.other_size(SECOND_PROGRAM));
        canvas.enabled.then(|| OtherCanvas {
            shows: CanvasContent::Scene(scene),
            size: running.unwrap_or(canvas.size),
            rate: self.state.quality.frame_rate,
        })
    }

    /// Returns the outputs of the second canvas, while it is sent or recorded.
    pub fn second_on_air(&self) -> Option<&OnAir> {
        self.live.others.get(&SECOND_PROGRAM)
    }

    /// Changes the second canvas, and saves it.
    pub fn set_canvas(&mut self, canvas: SecondCanvas) {
        if canvas == self.settings.canvas {
            return;
        }
        let is_ended = !canvas.enabled;
        self.settings.canvas = canvas;
        self.changed();
        if is_ended {
            self.live.second.wanted_file = None;
            self.stop_program(SECOND_PROGRAM);
        }
        self.follow_canvas();
    }

    /// Sets whether the window shows the second canvas.
    pub fn show_canvas(&mut self, is_shown: bool) {
        if std::mem::replace(&mut self.live.second.is_shown, is_shown) == is_shown {
            return;
        }
        self.pass_canvas_frames();
        self.follow_canvas();
    }

    /// Lets the program pass the frames of the second canvas to the window while it shows them. A
    /// new program does not know this.
    pub fn pass_canvas_frames(&mut self) {
        let second = &self.live.second;
        let slot = second.is_shown.then(|| second.frames.clone());
        if let Some(program) = &mut self.state.program {
            program.show_other(SECOND_PROGRAM, slot, &self.settings.collection);
        }
    }

    /// Draws the second canvas as configured, while somebody needs it.
    pub fn follow_canvas(&mut self) {
        let is_needed = self.live.second.is_shown || self.second_on_air().is_some();
        let canvas = self.second_canvas().filter(|_| is_needed);
        if let Some(program) = &mut self.state.program
            && program.other(SECOND_PROGRAM) != canvas
        {
            program.set_other(SECOND_PROGRAM, canvas, &self.settings.collection);
        }
    }

    /// Records the second canvas to this file from the next broadcast or recording on.
    pub fn record_canvas(&mut self, path: PathBuf) {
        let is_on = self.settings.canvas.enabled;
        // A canvas that is off must not be recorded by a later broadcast.
        self.live.second.wanted_file = is_on.then_some(path);
        if is_on && self.live.on_air.is_some() {
            let now = self.clock.now();
            self.begin_second(now);
            self.record_second();
        }
    }

    /// Records the second canvas beside this file of the program, if the settings say so.
    pub fn want_canvas_recording(&mut self, program: &std::path::Path) {
        let SecondCanvas { enabled, record, size, .. } = self.settings.canvas;
        if enabled && record && self.live.second.wanted_file.is_none() {
            let name = format!("{}x{}", size.width, size.height);
            self.live.second.wanted_file = Some(path_beside(program, &name));
        }
    }

    /// Opens the encoders of the second canvas, if a target or a recording needs it.
    pub fn open_second(&mut self) -> Option<Opened> {
        let is_needed =
            self.live.second.wanted_file.is_some() || self.targets.list.iter().any(gets_second);
        if !is_needed || self.second_on_air().is_some() {
            return None;
        }
        let canvas = self.second_canvas()?;
        let program = self.state.program.as_mut()?;
        program.set_other(SECOND_PROGRAM, Some(canvas), &self.settings.collection);
        let mut quality = Quality { size: canvas.size, ..self.state.quality.clone() };
        if !all_take_b_frames(&self.targets.list) {
            quality.b_frames = 0;
        }
        let (id, sound) = ((SECOND_PROGRAM, ProgramName::Second), ProgramSound::of(program));
        match OnAir::open(program, id, sound, &quality, self.clock) {
            Ok(opened) => Some(opened),
            Err(reason) => {
                self.live.second.wanted_file = None;
                self.follow_canvas();
                self.notices.raise(&StudioMessage::EncoderFailed { reason }, "");
                None
            }
        }
    }

    /// Begins the second canvas at this instant, with its recording.
    pub fn begin_opened_second(&mut self, opened: Option<Opened>, from: Timestamp) {
        let (Some(opened), Some(program)) = (opened, &self.state.program) else { return };
        let (on_air, events) = opened.begin(program, from);
        self.live.others.insert(SECOND_PROGRAM, on_air);
        for event in events {
            self.notices.send_event(event);
        }
        self.record_second();
    }

    /// Begins the second canvas, unless it runs.
    fn begin_second(&mut self, from: Timestamp) {
        if self.second_on_air().is_none() {
            let opened = self.open_second();
            self.begin_opened_second(opened, from);
        }
    }

    /// Begins the recording of the running second canvas, if one is wanted.
    pub fn record_second(&mut self) {
        if self.second_on_air().is_none_or(OnAir::is_recording) {
            return;
        }
        let Some(path) = self.live.second.wanted_file.take() else { return };
        let size = self.second_canvas().map(|canvas| canvas.size);
        let own = self.open_own_encode(ProgramName::Second, size);
        if let Some(on_air) = self.live.others.remove(&SECOND_PROGRAM) {
            self.record_program(SECOND_PROGRAM, on_air, &path, own);
        }
    }

    /// Adds targets of the second canvas. Returns the last events of their earlier attempts.
    pub fn publish_second(&mut self, wanted: Vec<WantedTarget>) -> Vec<OutputNews> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let now = self.clock.now();
        self.begin_second(now);
        let used = audio_tracks::used(&self.settings.strips);
        let Some(on_air) = self.live.others.get_mut(&SECOND_PROGRAM) else { return Vec::new() };
        if !all_take_b_frames(&self.targets.list) {
            // The canvas may have begun before this target was switched on.
            on_air.end_b_frames();
        }
        let delay = self.settings.delay;
        if !on_air.is_publishing()
            && !delay.is_zero()
            && let Err(error) =
                on_air.start_stream_delay(delay, self.config.delay_folder.clone(), self.clock)
        {
            // If the requested delay is not possible, nothing is sent.
            self.notices.raise(&StudioMessage::EncoderFailed { reason: error.into() }, "");
            return Vec::new();
        }
        let encoded = self.state.program.as_ref();
        let encoded = encoded.map(|program| on_air.encode_mixes(&wanted, used, program));
        let left = on_air.publish(&self.runtime, self.clock, wanted);
        if let Some(Err(reason)) = encoded {
            self.notices.raise(&StudioMessage::EncoderFailed { reason }, "");
        }
        left
    }

    /// Ends the targets of the second canvas.
    pub fn stop_second_targets(&mut self) {
        let words = self.last_words.0.clone();
        let second = self.live.others.get_mut(&SECOND_PROGRAM).filter(|it| it.is_publishing());
        self.endings.broadcasts.extend(second.and_then(|it| it.end_publishers(words)));
    }

    /// Ends the recording of the second canvas.
    pub fn stop_second_recording(&mut self) {
        self.live.second.wanted_file = None;
        let words = self.last_words.0.clone();
        let second = self.live.others.get_mut(&SECOND_PROGRAM).filter(|it| it.is_recording());
        self.endings.broadcasts.extend(second.and_then(|it| it.finish_recording(words)));
    }

    /// Ends the second canvas after its last output, and adapts its video to its links.
    pub fn poll_second(&mut self) {
        let now = self.clock.now();
        if self.second_on_air().is_some_and(|on_air| !on_air.is_busy()) {
            self.stop_program(SECOND_PROGRAM);
        }
        self.follow_canvas();
        if let (Some(program), Some(on_air)) =
            (&self.state.program, self.live.others.get_mut(&SECOND_PROGRAM))
        {
            let used = ExtraTracks::NONE;
            if let Err(reason) = on_air.follow_tracks(used, program) {
                tracing::warn!(%reason, "an additional audio track failed");
            }
            drop(on_air.adapt(now, program));
        }
    }

    /// Returns the figures of the last second, and keeps them for the window.
    pub fn second_stats(&mut self, now: Timestamp) -> Option<Canvas> {
        let (program, usage) = (self.state.program.as_ref(), self.machine.usage);
        let second = self.live.others.get_mut(&SECOND_PROGRAM);
        let stats = second.map(|it| it.stats(program, usage, now));
        self.live.second.figures = stats.as_ref().and_then(|it| it.video);
        stats.map(|it| Canvas { video: it.video, targets: it.targets })
    }

    /// Splits targets by the program that they get: those of the main program, and those of the
    /// second canvas.
    pub fn by_canvas(&self, wanted: Vec<WantedTarget>) -> (Vec<WantedTarget>, Vec<WantedTarget>) {
        let second: BTreeMap<u32, bool> =
            self.targets.list.iter().map(|it| (it.id, it.second_canvas)).collect();
        wanted.into_iter().partition(|it| !second.get(&it.id).copied().unwrap_or_default())
    }
}

/// Returns true if this target gets the second canvas.
fn gets_second(target: &Target) -> bool {
    target.enabled && target.second_canvas
}

/// Returns false if a target of the second canvas takes no B-frames. The second canvas has no other
/// encode for such a target.
fn all_take_b_frames(targets: &[Target]) -> bool {
    targets.iter().filter(|target| gets_second(target)).all(|target| {
        let url = address::parse(target.server(), target.key()).ok();
        url.is_none_or(|url| url.has_b_frames())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Secret;
    use crate::studio::engine::handlers::live::tests::at_rest;

    #[test]
    fn a_start_that_failed_leaves_no_recording_for_a_later_broadcast() {
        let (mut engine, _ends) = at_rest(None);
        engine.record_canvas("off.mkv".into());
        assert_eq!(engine.live.second.wanted_file, None);
        engine.settings.canvas.enabled = true;
        engine.record_canvas("tall.mkv".into());
        assert!(engine.live.second.wanted_file.is_some());
        // Without a program, the encoders cannot be opened.
        assert!(!engine.begin_broadcast());
        assert_eq!(engine.live.second.wanted_file, None);
    }

    #[test]
    fn the_second_canvas_has_b_frames_unless_one_of_its_targets_takes_none() {
        let target = |server, second_canvas| Target {
            second_canvas,
            ..Target::custom(1, server, Secret::new("key"))
        };
        let (rtmp, whip) = ("rtmp://h/app", "whip://h/live/a/whip");
        assert!(all_take_b_frames(&[target(rtmp, true), target(whip, false)]));
        assert!(!all_take_b_frames(&[target(rtmp, true), target(whip, true)]));
        let off = Target { enabled: false, ..target(whip, true) };
        assert!(all_take_b_frames(&[target(rtmp, true), off]));
    }
}
