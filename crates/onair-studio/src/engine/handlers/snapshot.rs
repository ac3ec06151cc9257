//! Builds the [`Snapshot`] of the studio.

use std::path::Path;
use std::sync::Arc;

use crate::capture::browser::{PageInput, PageStudio};
use crate::compose::scene::SourceId;
use crate::decode::inventory;
use crate::encode::known_encoders_so_far;
use crate::media::source_status::SourceFormat;
use crate::mix::StripId;
use crate::net::Trouble;
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::live::on_air::OnAir;
use crate::studio::live::outputs::target::carried;
use crate::studio::live::view::{LiveFigures, LiveState};
use crate::studio::program::Program;
use crate::studio::snapshot::{
    AudioSource, RecordingFigures, ReplayFigures, Snapshot, TargetView, VideoSource,
};

impl Engine {
    pub fn snapshot(&self, ended: bool) -> Snapshot {
        let state = &self.state;
        let (live, mut figures) = match &self.live.on_air {
            Some(on_air) => {
                let mut states = self.live.all().map(OnAir::live_state);
                let state = states.find(|state| *state != LiveState::Idle);
                (state.unwrap_or_default(), on_air.live_figures())
            }
            None => (LiveState::Idle, LiveFigures::default()),
        };
        figures.bitrate_history = self.live.series.bitrates().collect();
        if self.live.is_publishing() {
            // A recording or the replay buffer may have used the encoders before.
            figures.skipped_frames =
                figures.skipped_frames.saturating_sub(self.live.skipped_before);
            figures.encoded = figures.encoded.saturating_sub(self.live.encoded_before);
        }
        let live =
            if self.live.stopping && live == LiveState::Idle { LiveState::Stopping } else { live };
        self.inform_pages(&live);
        let program = state.program.as_ref();
        let tiles = self.watch.views();
        Snapshot {
            cameras: self.machine.devices.cameras().to_vec(),
            microphones: self.machine.devices.microphones().to_vec(),
            screens: Arc::clone(self.machine.devices.screens()),
            windows: Arc::clone(self.machine.devices.windows()),
            video: program.map(video_source),
            audio_only: program.is_some_and(|program| !program.has_video()),
            scenes: self.scenes_view(),
            parts: Arc::clone(&self.file.view),
            audio: program.map(|program| self.audio_source(program)),
            strips: self.strip_views(),
            track_names: self.track_names(),
            loudness: program.map(|program| program.mixer().meter()).unwrap_or_default(),
            loudness_history: Arc::clone(&state.loudness_history),
            monitoring: self.settings.monitoring.clone(),
            speakers: self.machine.devices.speakers().to_vec(),
            applications: self.machine.devices.applications().to_vec(),
            quality: self.settings.quality.clone(),
            targets: self.target_views(),
            services: self.services.clone(),
            key_place: self.secrets.place.clone(),
            live,
            figures,
            draw_time: program.map(|program| program.compositor().figures().draw_time),
            passthrough: match &self.live.opening {
                Some(opening) => Some(opening.view()),
                None => self.live.on_air.as_ref().and_then(OnAir::passthrough),
            },
            delay: self.settings.delay,
            held: self.live.on_air.as_ref().and_then(OnAir::held),
            rule_keys: self.state.rule_keys,
            canvas: self.settings.canvas.clone(),
            canvas_frames: self.live.second.frames.clone(),
            canvas_shown: self.live.second.is_shown,
            canvas_figures: self.live.second.figures,
            recorded_sources: self.live.source_recordings.sources().collect(),
            recording: self.live.on_air.as_ref().and_then(OnAir::recording).map(|recording| {
                let figures = recording.recorder.figures();
                RecordingFigures {
                    path: figures.path,
                    duration: figures.earlier + figures.duration,
                    bytes: figures.bytes,
                    paused: figures.paused,
                    chapters: figures.chapters,
                }
            }),
            replay: self.live.on_air.as_ref().and_then(OnAir::replay).map(|replay| ReplayFigures {
                filled: replay.filled().0,
                room: replay.room().duration,
            }),
            recordings: state.library.view(),
            disk: self.live.free_space.space(),
            encoder: self.live.on_air.as_ref().and_then(OnAir::encoder),
            last_broadcast: self.live.is_summarized.then(|| self.live.summary.clone()),
            watch: self.watch.state(),
            watch_attempts: self.watch.attempts(),
            watch_figures: self.watch.figures(&tiles),
            tiles,
            player: self.watch.choices(),
            encoders: known_encoders_so_far(),
            decoders: inventory::is_choice(),
            hardware: inventory::hardware_known(),
            chat: self.watch.chat(),
            service_chats: self.service_chats.view(),
            chat_choices: self.watch.chat_choices().clone(),
            recent: self.settings.recent.clone(),
            server: self.built_in.figures(),
            guests: self.guest_figures(),
            guest_traffic: self.built_in.desk.traffic,
            remote: self.remote_view(),
            virtual_camera: self.virtual_camera_view(),
            rules: self.settings.rules.clone(),
            preferences: self.settings.preferences.clone(),
            watch_url: self.settings.watch_url.clone(),
            checked: self.checked(),
            measured: self.measured(),
            event_log: self.notices.log.entries(),
            event_log_path: self.notices.log.path().map(Path::to_owned),
            notices: self.notices.active.notices().to_vec(),
            past_notices: self.notices.active.past().cloned().collect(),
            cpu: self.machine.usage.0,
            rss_bytes: self.machine.usage.1,
            handled_commands: state.handled_commands,
            has_postponed_commands: !self.startup.postponed.is_empty(),
            waits_to_go_live: self.startup.postponed.contains(&Command::GoLive),
            keys_pending: self.secrets.pending,
            ended,
        }
    }

    /// Loads a browser page again.
    pub fn refresh_page(&self, id: SourceId) {
        if let Some(program) = &self.state.program {
            program.refresh_page(id);
        }
    }

    /// Passes on what the user does on a browser page.
    pub fn page_input(&self, id: SourceId, input: PageInput) {
        if let Some(program) = &self.state.program {
            program.page_input(id, input);
        }
    }

    /// Passes the state of the studio on to browser pages.
    fn inform_pages(&self, live: &LiveState) {
        let collection = &self.settings.collection;
        let on_air = self.live.on_air.as_ref();
        let recording = on_air.and_then(OnAir::recording).map(|it| it.recorder.figures());
        self.state.stage.pages.set(PageStudio {
            scene: collection.program_scene().map(|it| it.name.clone()).unwrap_or_default(),
            scenes: collection.scenes.iter().map(|scene| scene.name.clone()).collect(),
            size: Some(self.settings.quality.size),
            streaming: matches!(live, LiveState::OnAir | LiveState::Reconnecting { .. }),
            recording: recording.is_some(),
            paused: recording.is_some_and(|it| it.paused),
            replay: on_air.and_then(OnAir::replay).is_some(),
            virtual_camera: self.state.virtual_camera.is_some(),
        });
    }

    pub fn audio_source(&self, program: &Program) -> AudioSource {
        let report = program.audio_report();
        let meter = program.mixer().strip_meter(StripId::MAIN).unwrap_or_default();
        let main = self.settings.strips.first();
        AudioSource {
            choice: program.audio_choice().clone(),
            chosen: self.settings.audio.is_some(),
            state: report.state,
            name: report.name,
            gain_db: main.map_or(0.0, |it| it.strip.gain_db),
            muted: main.is_some_and(|it| it.strip.muted),
            peak_dbfs: meter.peak_dbfs,
            channels_dbfs: meter.channels_dbfs,
            held_dbfs: meter.held_dbfs,
            rms_dbfs: meter.rms_dbfs,
            clipped: meter.clipped,
            drift_ppm: report.drift_ppm,
        }
    }

    fn target_views(&self) -> Vec<TargetView> {
        let mut views: Vec<TargetView> =
            self.targets.list.iter().cloned().map(TargetView::idle).collect();
        for view in &mut views {
            if let Some(event) = self.targets.events.get(&view.target.id) {
                view.state = Some(event.state);
                view.stage = event.stage;
                view.cause.clone_from(&event.cause);
                view.refused =
                    matches!(event.trouble, Some(Trouble::Refused | Trouble::NoSuchStream));
            }
        }
        for sent in self.live.all().flat_map(OnAir::targets) {
            let figures = sent.publisher.figures();
            if let Some(view) = views.iter_mut().find(|view| view.target.id == sent.id) {
                view.bitrate = carried(&figures);
                let report = sent.publisher.report();
                view.closes = report.history.closes.map(|it| (it.times, it.after));
                (view.retry_in, view.tries) = (report.retry_in, sent.publisher.tries());
                view.queued = figures.queued;
                view.queue_misleads = figures.interrupted || figures.late;
                view.dropped_frames = figures.dropped_frames;
                view.total_frames = figures.total_frames;
                view.reconnects = figures.reconnects;
                view.round_trip = figures.round_trip;
                view.rendition_id = crate::studio::live::target_events::rendition_id(&figures);
                view.size = figures.rendition.as_ref().map(|rendition| rendition.video.size);
            }
        }
        let known = &self.live.summary.targets;
        for view in &mut views {
            view.was_live = known.iter().any(|it| it.was_live && it.id == Some(view.target.id));
            view.monitored = self.is_monitored(&view.target);
            view.monitor = self.state.monitors.view(view.target.id);
        }
        views
    }
}

fn video_source(program: &Program) -> VideoSource {
    let report = program.video_report();
    VideoSource {
        choice: program.video_choice().clone(),
        state: report.state,
        name: report.name,
        format: match report.format {
            SourceFormat::Video { size, fps } => Some((size, fps)),
            _ => None,
        },
    }
}
