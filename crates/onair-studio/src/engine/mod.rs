//! The studio's thread: takes commands, polls all parts, reports events, and builds the snapshot.
//! Nothing here waits for a device, a socket or a disk; slow work runs on separate threads. Only
//! commands for collections, profiles and the user's own services use their files directly.
//! Long because every command has an arm in one match.

pub mod config;
pub(crate) mod degradation;
pub mod handle;
mod handlers;
pub(crate) mod notice_board;
mod programs;
mod remote_control;
pub(crate) mod removed_strips;
pub(crate) mod scene_state;
pub(crate) mod server;
pub(crate) mod settings_file;
pub(crate) mod state;
pub mod system;
pub(crate) mod undo_history;

use std::time::Duration;

use crate::base::queue::{Empty, Receiver, Sender};
use crate::base::{Clock, Latest};
use crate::broadcast::Recorder;
use crate::broadcast::delay::MAX_STREAM_DELAY;
use crate::capture::VideoChoice;
use crate::media::{Size, VideoFrame};
use crate::mix::StripId;
use crate::net::Runtime;
use crate::studio::command::Command;
use crate::studio::engine::config::Config;
use crate::studio::engine::notice_board::NoticeBoard;
use crate::studio::engine::scene_state::SceneState;
use crate::studio::engine::server::BuiltIn;
use crate::studio::engine::settings_file::SettingsFile;
use crate::studio::engine::state::{
    Broadcast, EndingTasks, EngineState, KeptSecrets, Machine, Startup, TargetList,
};
use crate::studio::engine::system::process::Process;
use crate::studio::engine::system::{crash_reports, keep_awake};
use crate::studio::event::Event;
use crate::studio::live::on_air::late_audio::QUIT_AUDIO_WAIT;
use crate::studio::mixer::clean_name;
use crate::studio::notices::event_log::EventLog;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::row::Group;
use crate::studio::program::{CanvasContent, OtherCanvas, Program};
use crate::studio::scenes::edits::EditRefusal;
use crate::studio::settings::Settings;
use crate::studio::snapshot::Snapshot;
use crate::studio::sources::open::SourceOpener;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::services::ServiceList;
use crate::studio::watch::Players;
use crate::studio::watch::service_chats::ServiceChats;
use crate::text::Problem;

/// Interval at which the studio polls its parts: as often as meters need for smooth motion.
const POLL_INTERVAL: Duration = Duration::from_millis(33);

/// Interval at which the studio polls its parts without visible meters.
const IDLE_POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The same while the window is hidden, nothing is sent or recorded, and no other program controls
/// the studio.
const HIDDEN_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The longest time for which the search for devices may delay the first frame.
const DEVICE_SEARCH_TIMEOUT: Duration = Duration::from_secs(3);

/// Time limit for the tasks that are still running when onair quits: more than a file may take
/// then, but less than the process waits for the studio.
const QUIT_TIMEOUT: Duration = Duration::from_millis(3_500);

/// Time limit for writing the last lines of the event log.
const EVENT_LOG_END_TIMEOUT: Duration = Duration::from_secs(2);

/// Time limit for storing the last changed key at the end.
const KEY_STORAGE_TIMEOUT: Duration = Duration::from_secs(1);

/// Time limit for a running save before a command for collections and profiles, and for all changes
/// of files at the end.
const SAVE_TIMEOUT: Duration = Duration::from_secs(3);

/// The parts of the engine.
struct Engine {
    clock: Clock,
    runtime: Runtime,
    /// The configuration as at the start; its settings, services and players are in other fields.
    config: Config,
    commands: Receiver<Command>,
    output: Latest<Snapshot>,
    program_frames: Latest<VideoFrame>,
    /// The frames of the preview scene.
    preview_frames: Latest<VideoFrame>,
    settings: Settings,
    file: SettingsFile,
    services: ServiceList,
    built_in: BuiltIn,
    watch: Players,
    service_chats: ServiceChats,
    notices: NoticeBoard,
    live: Broadcast,
    targets: TargetList,
    secrets: KeptSecrets,
    startup: Startup,
    machine: Machine,
    endings: EndingTasks,
    /// The last events of a broadcast that ends in the background.
    last_words: (Sender<Event>, Receiver<Event>),
    state: EngineState,
}

impl Engine {
    /// Runs until [`Command::Quit`], or until all command senders are gone.
    fn run(mut self, warnings: Vec<Problem>) {
        self.state.quality = self.settings.quality.clone();
        self.machine.process = Some(Process::new());
        for reason in warnings {
            self.notices.raise(&StudioMessage::SettingsBad { reason }, "");
        }
        if self.built_in.wanted_at_once() {
            self.start_built_in();
        }
        self.begin_history();
        self.forget_earlier_guests();
        if let Some(path) =
            self.config.crashes.take().and_then(|folder| crash_reports::take(&folder))
        {
            self.notices.raise(&StudioMessage::Crashed { path: path.display().to_string() }, "");
        }
        self.file.begin_versions(&self.settings);
        self.list_parts();
        self.offer_to_resume();
        self.begin_network();
        self.begin_targets();
        self.begin_program();
        self.begin_repairs();
        self.begin_watching();
        self.state.next_second = self.clock.now() + Duration::from_secs(1);
        let mut quit_by = None;
        loop {
            let calm = self.state.hidden || self.config.calm && self.frames_flow();
            let tick = match calm {
                true if self.state.hidden && self.is_alone() => HIDDEN_POLL_INTERVAL,
                true => IDLE_POLL_INTERVAL,
                false => POLL_INTERVAL,
            };
            match self.commands.recv_timeout(tick) {
                Ok(command) => {
                    let mut next = Some(command);
                    while let Some(command) = next {
                        self.handle(command);
                        self.state.handled_commands += 1;
                        next = self.commands.try_recv().ok();
                    }
                }
                Err(Empty::Waiting) => {}
                Err(Empty::Closed) => self.handle(Command::Quit),
            }
            self.poll();
            if self.clock.now() >= self.state.next_second {
                self.second();
            }
            // The library stops a running copy when it is asked.
            let over = self.state.quitting
                && self.live.on_air.is_none()
                && self.endings.are_over()
                && self.state.library.is_over()
                && !self.scenes_busy();
            let now = self.clock.now();
            // A file of an earlier broadcast may take longer than onair has when it quits.
            let late = self.state.quitting && now > *quit_by.get_or_insert(now + QUIT_TIMEOUT);
            if over || late {
                // This call reports the last events of the parts.
                self.poll();
                break;
            }
            let snapshot = self.snapshot(false);
            self.machine.awake.keep(keep_awake::is_needed(&snapshot));
            self.output.publish(snapshot);
        }
        self.end_watching();
        self.end_monitoring();
        if let Some(program) = self.state.program.take() {
            drop(program.end());
        }
        self.built_in.shutdown();
        self.end_files();
        if let Some(keys) = self.secrets.keys.take() {
            keys.end(KEY_STORAGE_TIMEOUT);
        }
        self.notices.log.end(EVENT_LOG_END_TIMEOUT);
        self.output.publish(self.snapshot(true));
    }

    fn begin_history(&mut self) {
        self.notices.log = EventLog::new(
            self.config.event_log_path.take(),
            self.settings.preferences.language.spoken(),
        );
    }

    /// Returns true if a broadcast is running and has encoded something.
    fn frames_flow(&self) -> bool {
        self.live.on_air.as_ref().is_some_and(|on_air| on_air.live_figures().encoded > 0)
    }

    fn begin_program(&mut self) {
        if !self.config.program {
            return;
        }
        self.state.stage.board.want(&self.settings.cameras);
        let (runtime, net) = (self.runtime.clone(), self.config.options.net.clone());
        let SceneState { board, permissions, pages, chat, .. } = &self.state.stage;
        let media =
            SourceOpener::new(runtime, net, board.clone(), permissions.clone(), pages.clone())
                .with_shared(self.built_in.desk.entrance.clone(), chat.board());
        self.built_in.desk.forget_mixes();
        let quality = Quality { size: self.composed_size(), ..self.state.quality.clone() };
        match Program::start(self.clock, &quality, self.program_frames.clone(), media) {
            Ok(mut program) => {
                if let Some(filters) = self.state.filters.take() {
                    program.inherit(filters);
                }
                if self.config.scenes_only && self.settings.video != Some(VideoChoice::None) {
                    program.keep_video();
                }
                program.mixer().measure_loudness(self.config.loudness);
                program.mixer().set_fall(self.settings.preferences.meter_fall);
                self.state.program = Some(program);
                self.pass_canvas_frames();
                self.tell_unseen();
                self.notices.take_back("encoder-failed");
            }
            Err(error) => {
                self.notices
                    .raise(&StudioMessage::EncoderFailed { reason: error.to_string().into() }, "");
                return;
            }
        }
        self.begin_audio();
        self.begin_scenes();
        let video = self.first_video();
        let audio = self.settings.audio.clone();
        self.startup.undecided = (video.is_none(), audio.is_none());
        self.startup.decide_by = self.clock.now() + DEVICE_SEARCH_TIMEOUT;
        if video.is_none() || audio.is_none() || self.file.path.is_some() {
            self.machine.devices.refresh();
        }
        if let Some(video) = video {
            self.select_video(video);
        }
        if let Some(audio) = audio {
            self.select_audio(audio);
        }
    }

    fn handle(&mut self, command: Command) {
        if command.saved_path().is_some_and(|path| path.to_str().is_none()) {
            return self.notices.raise(&StudioMessage::Refused(EditRefusal::InvalidPath), "");
        }
        match command {
            Command::SelectVideo(choice) if self.config.scenes_only => {
                self.select_in_scene(choice);
            }
            Command::SelectVideo(choice) => {
                self.startup.undecided.0 = false;
                self.settings.video = Some(choice.clone());
                self.select_video(choice);
                self.changed();
            }
            Command::SelectAudio(choice) => {
                self.startup.undecided.1 = false;
                self.settings.audio = Some(choice.clone());
                self.select_audio(choice);
                self.changed();
            }
            Command::SwitchScene(id) => self.switch_scene(id),
            Command::SetPreviewScene(id) => self.set_preview_scene(id),
            Command::LookAt(views) => self.look_at(views),
            Command::Transition => self.take_preview(),
            Command::CloseImportReport => self.state.stage.import_report = None,
            Command::TBar(position) => self.set_t_bar(position),
            Command::SetStripScene { id, scene } => self.set_strip_scene(id, &scene),
            Command::Media(id, go) => {
                self.state.program.iter().for_each(|program| program.transport(id).ask(go));
            }
            Command::AtEnd(id, at_end) => self.set_at_end(id, at_end),
            Command::SetCamera { camera, control, value } => {
                self.set_camera(camera, control, value);
            }
            Command::SwitchVirtualCamera(on) => self.switch_virtual_camera(on),
            Command::RuleKey(number) => {
                let keys = &mut self.state.rule_keys;
                if let Some(count) = keys.get_mut(usize::from(number).wrapping_sub(1)) {
                    *count = count.wrapping_add(1);
                }
            }
            Command::SetRules(rules) => self.set_rules(rules),
            Command::PauseRule(rule) => self.pause_rule(&rule),
            Command::SetVirtualCamera(choices) => self.set_virtual_camera(choices),
            Command::RefreshPage(id) => self.refresh_page(id),
            Command::PageInput(id, input) => self.page_input(id, input),
            Command::ResetCamera(camera) => self.reset_camera(&camera),
            Command::ShareAgain(source) => self.share_again(source),
            Command::Edit(edit) => self.edit(&edit),
            Command::EditProgram(edit) => self.edit_program(&edit),
            Command::Gesture(is_gesture) => self.state.stage.set_gesture(is_gesture),
            Command::Undo => self.step(true),
            Command::Redo => self.step(false),
            Command::ImportScenes(path) => self.import_scenes(path),
            Command::ExportScenes(path) => self.export_scenes(path),
            Command::Part(command) => self.handle_part(command),
            Command::SetQuality(quality) => self.set_quality(&quality),
            Command::SetTargets(targets) => self.targets.list = targets,
            Command::PutTarget(target) => self.put_target(target),
            Command::RemoveTarget(id) => self.remove_target(id),
            Command::StartTarget(id) => self.follow_switch(id),
            Command::RestartTarget(target) => self.restart_target(target),
            Command::TrustCertificate { target, pin } => self.trust(target, pin),
            // The encoders of an earlier broadcast may still be ending.
            Command::GoLive | Command::StartRecording(_)
                if self.must_wait() || self.live.stopping =>
            {
                self.postpone(command);
            }
            Command::StopLive | Command::StopAfterDelay if self.live.opening.is_some() => {
                self.live.opening = None;
                self.notices.send_event(Event::Stopped);
            }
            Command::StopLive | Command::StopAfterDelay | Command::StopRecording
                if self.cancels_postponed(&command) => {}
            Command::Check { .. } | Command::MeasureQuality { .. } => self.request_check(command),
            Command::GoLive => self.go_live(),
            Command::SendFile { path, again } => self.send_file(&path, again),
            Command::StopLive => self.stop_live(),
            Command::StopAfterDelay => self.stop_after_delay(),
            Command::SetDelay(delay) => {
                self.settings.delay = delay.min(MAX_STREAM_DELAY);
                self.changed();
            }
            Command::RetryNow => {
                self.restart_edited(true);
                if let Some(on_air) = &self.live.on_air {
                    on_air.retry_now();
                }
            }
            Command::StartRecording(path) => self.start_recording(path),
            Command::StopRecording => self.stop_recording(),
            Command::Recordings(command)
                if command.changed_file().is_some_and(|path| self.is_written(path)) =>
            {
                self.state.library.refuse(&command);
            }
            Command::Recordings(command) => {
                let folder = &self.settings.preferences.recording_folder;
                self.state.library.handle(command, folder);
            }
            Command::StartProgram { id, scene, size, rate, path } => {
                let shows = CanvasContent::Scene(scene);
                self.start_program(id, OtherCanvas { shows, size, rate }, &path);
            }
            Command::StopProgram(id) => self.stop_program(id),
            Command::Programs(command) => self.handle_programs(command),
            Command::PauseRecording => self.with_recording(Recorder::pause),
            Command::ResumeRecording => self.with_recording(Recorder::resume),
            Command::Chapter(title) => self.with_recording(|recorder| recorder.chapter(&title)),
            Command::SplitRecording => self.with_recording(Recorder::split),
            Command::SaveReplay(path) => self.save_replay(path),
            Command::Screenshot(path) => self.take_screenshot(path),
            Command::SetGain(gain) => self.set_gain(gain),
            Command::SetMuted(muted) => {
                self.with_strip(StripId::MAIN, |it| it.strip.muted = muted);
            }
            Command::AddStrip(choice) => self.add_strip(choice),
            Command::AddNamedStrip { choice, name } => {
                self.add_named_strip(choice, clean_name(&name));
            }
            Command::RemoveStrip(id) => self.remove_strip(id),
            Command::SelectStrip { id: StripId::MAIN, choice } => {
                self.handle(Command::SelectAudio(choice));
            }
            Command::SelectStrip { id, choice } => self.with_strip(id, |it| it.choice = choice),
            Command::RenameStrip { id, name } => {
                self.with_strip(id, |it| it.name = clean_name(&name));
            }
            Command::SetStrip { id, before, strip } => {
                self.with_strip(id, |it| it.strip.merge(&before, strip));
            }
            Command::SetStripEnd { id, at_end } => self.with_strip(id, |it| it.at_end = at_end),
            Command::SetIfSilent { id, choice } => self.with_strip(id, |it| it.if_silent = choice),
            Command::RestartStrip(id) => {
                if let Some(program) = &self.state.program {
                    program.restart_strip(id);
                }
            }
            Command::SetTalk { id, talk } => self.with_strip(id, |it| it.talk = talk),
            Command::PushToTalkKeys(held) => self.push_to_talk_key(None, held),
            Command::TalkKeyOf { id, held } => self.push_to_talk_key(Some(id), held),
            Command::SetMonitoring(monitoring) => self.set_monitoring(monitoring),
            Command::ResetLoudness => {
                if let Some(program) = &self.state.program {
                    program.mixer().reset_loudness();
                }
            }
            Command::ClearClip(lamp) => {
                if let Some(program) = &self.state.program {
                    program.mixer().clear_clip(lamp);
                }
            }
            command @ (Command::Watch { .. }
            | Command::WatchAll(_)
            | Command::StopWatching
            | Command::SetVolume(_)
            | Command::StepVolume(_)
            | Command::SetPlayerMuted(_)
            | Command::Player(_)) => self.handle_watching(command),
            Command::SetFaults(faults) => {
                self.notices.active.clear(&["fault-struck"]);
                self.built_in.set_faults(faults);
            }
            Command::SetSuccessor(url) => self.set_successor(&url),
            Command::Serve(true) => self.start_built_in_if_needed(),
            Command::Serve(false) => self.stop_built_in(),
            Command::SetReach(reach) => self.set_reach(reach),
            Command::SetPlayKey(needed) => self.set_play_key(needed),
            Command::NewPlayKey => self.renew_play_key(),
            Command::SetServerNames(names) => self.set_server_names(names),
            Command::SetSrtPassphrase(passphrase) => self.set_srt_passphrase(&passphrase),
            Command::SetServerCertificate(chosen) => self.set_server_certificate(&chosen),
            Command::SetYouTubeKey(key) => self.set_youtube_key(&key),
            Command::SetRemoteControl(choices) => self.set_remote_control(choices),
            Command::NewRemotePassword => self.renew_remote_password(),
            Command::RemoteControlReport(report) => self.note_remote_control(report),
            Command::Chat(command) => self.handle_chat(command),
            Command::Guest(command) => self.handle_guest(command),
            Command::PutService { was, service } => self.put_service(was.as_deref(), &service),
            Command::RemoveService(id) => self.remove_service(&id),
            Command::SetPreferences { preferences, part_changes } => {
                self.set_preferences(preferences, part_changes);
            }
            Command::RefreshDevices => {
                self.notices.active.clear(&["no-camera", "no-microphone"]);
                self.machine.devices.refresh();
            }
            Command::TryAgain => self.try_again(),
            Command::Resume => self.resume(),
            Command::TooManyDropped { count, most } => {
                let (count, most) = (count.to_string(), most.to_string());
                self.notices.raise(&StudioMessage::TooManyDropped { count, most }, "");
            }
            Command::WindowLost => self.notices.raise(&StudioMessage::DisplayLost {}, ""),
            Command::Dismiss(id) => self.notices.active.dismiss(id),
            Command::ProjectorDisplay { name, is_gone: false } => {
                self.notices.active.clear_of(&["projector-hidden"], &name);
            }
            Command::ProjectorDisplay { name, is_gone: true } => {
                self.notices.raise(&StudioMessage::ProjectorHidden { device: name }, "");
            }
            Command::SetHidden(hidden) => self.state.hidden = hidden,
            Command::SetProgramUnseen(unseen) => self.set_unseen(unseen),
            Command::Quit => {
                self.state.quitting = true;
                self.live.opening = None;
                self.stop_programs();
                self.end_broadcast();
                // A broadcast that was stopped earlier may still wait for its late audio.
                if let Some(mixer) = self.state.program.as_ref().map(Program::mixer) {
                    mixer.limit_ends(mixer.end_within(QUIT_AUDIO_WAIT));
                }
            }
        }
    }

    fn select_video(&mut self, choice: VideoChoice) {
        // Only the main video source has notices about a camera.
        self.notices.active.clear(&["camera-lost", "camera-stalled", "camera-failed", "no-camera"]);
        let before = self.state.program.as_ref().map(Program::video_report).unwrap_or_default();
        let held = self.state.program.as_ref().map(Program::hold);
        let message = self.state.program.as_mut().and_then(|it| it.select_video(choice));
        self.source_closed(&before, &["source-trouble"]);
        self.notices.raise_some(message);
        self.follow_main();
        drop(held);
    }

    fn set_quality(&mut self, quality: &Quality) {
        if *quality == self.settings.quality {
            return;
        }
        self.settings.quality = quality.clone();
        self.changed();
        self.live.replay_failed = false;
        if let Some(on_air) = &mut self.live.on_air {
            // The running encoders can adopt only these values.
            let same = Quality {
                video_bitrate: quality.video_bitrate,
                adapt: quality.adapt,
                least_bitrate: quality.least_bitrate,
                adapt_frames: quality.adapt_frames,
                adapt_size: quality.adapt_size,
                ..self.state.quality.clone()
            };
            if on_air.is_busy() || same == *quality {
                on_air.set_quality(quality);
                let allowed = on_air.allowed();
                if allowed >= quality.video_bitrate {
                    // The video now has the chosen bitrate.
                    self.notices.take_back("bitrate-lowered");
                } else {
                    self.wanted_bitrate_changed(allowed);
                }
                self.state.quality = same;
                self.tell_misfits();
                return;
            }
            // Only the replay buffer used the encoders, and it starts again.
            self.end_broadcast();
            return;
        }
        self.apply_quality_when_idle();
    }

    /// Applies the chosen quality, unless a broadcast is still ending: it may need the late audio of
    /// this program. [`Engine::poll`] then applies the quality.
    fn apply_quality_when_idle(&mut self) {
        if self.endings.broadcasts.is_empty() {
            self.apply_quality();
        }
    }

    /// Returns the size at which the program is composed: that of the stream, or of recordings if
    /// they are larger.
    fn composed_size(&self) -> Size {
        self.settings.preferences.recording.own().composed_size(self.state.quality.size)
    }

    /// Returns false if the program must start again because of the size of recordings.
    fn is_composed_as_chosen(&self) -> bool {
        let program = self.state.program.as_ref();
        program.is_none_or(|it| it.compositor().config().size == self.composed_size())
    }

    /// Applies the chosen quality, and restarts the program if its format changes.
    fn apply_quality(&mut self) {
        if self.startup.is_undecided() {
            // Every broadcast and recording waits for the choice, and then calls this again.
            return;
        }
        let old = std::mem::replace(&mut self.state.quality, self.settings.quality.clone());
        let new = &self.state.quality;
        let same = (old.size, old.frame_rate, old.sample_rate, old.channels)
            == (new.size, new.frame_rate, new.sample_rate, new.channels);
        if same && self.is_composed_as_chosen() {
            return;
        }
        self.end_monitoring();
        self.stop_programs();
        if let Some(program) = self.state.program.take() {
            let (video, audio) = (program.video_choice().clone(), program.audio_choice().clone());
            let keeps_video = program.keeps_video();
            self.state.filters = Some(program.end());
            // The new program opens the sources and files again, and reports their problems again.
            self.notices.active.clear(Group::SourceDown.keys());
            self.notices.active.clear(Group::Transition.keys());
            let kept = (self.settings.video.clone(), self.settings.audio.clone());
            (self.settings.video, self.settings.audio) = (Some(video), Some(audio));
            self.begin_program();
            (self.settings.video, self.settings.audio) = kept;
            // In the window, `None` means that all sources are in scenes, not audio only.
            if let Some(program) = self.state.program.as_mut().filter(|_| keeps_video) {
                program.keep_video();
            }
        }
    }

    fn changed(&mut self) {
        self.file.changed(self.clock.now());
    }

    /// Begins to save the settings if there are changes. A save that is running comes first.
    fn save(&mut self) {
        if self.file.is_saving() || !self.file.take_due() {
            return;
        }
        self.keep_keys();
        self.file.begin_save(&self.settings, self.services.own(), self.clock.now());
    }

    /// Reports the end of a save, and waits for it for at most `limit`. After the last save, nobody
    /// sees a notice.
    fn finish_save(&mut self, limit: Duration, last: bool) {
        let Some((saved, is_retry)) = self.file.take_saved(limit, self.services.own()) else {
            return;
        };
        match saved {
            Ok(()) => self.notices.take_back("settings-not-saved"),
            Err(error) if last => tracing::warn!(%error, "saving the settings failed"),
            Err(error) => {
                let message = StudioMessage::settings_not_saved(&error.path, &error.cause);
                match is_retry {
                    true => self.notices.active.renew(&message),
                    false => self.notices.raise(&message, ""),
                }
                self.file.retry(self.clock.now());
            }
        }
    }

    /// Removes the record of the broadcast, and saves the last changes.
    fn end_files(&mut self) {
        let (clock, end) = (self.clock, self.clock.now() + SAVE_TIMEOUT);
        let left = || end.since(clock.now());
        self.forget_on_air(left());
        self.finish_save(left(), false);
        self.save();
        self.finish_save(left(), true);
        if self.file.is_saving() {
            tracing::warn!("saving the settings did not end in time");
        }
    }
}
