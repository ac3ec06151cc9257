//! Handles going on air, and ending a broadcast. The file is long because its tests follow a
//! broadcast from its start to its end.

use crate::media::ProgramId;
use crate::studio::engine::Engine;
use crate::studio::event::{self, Event, TargetState, stats};
use crate::studio::live::on_air::OnAir;
use crate::studio::live::outputs::OutputNews;
use crate::studio::live::outputs::target::WantedTarget;
use crate::studio::live::recording::audio_tracks;
use crate::studio::live::second_canvas::SECOND_PROGRAM;
use crate::studio::live::series::BroadcastSeries;
use crate::studio::live::target_events::count_or_none;
use crate::studio::live::view::{BroadcastSummary, BroadcastTarget, LiveFigures};
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::row::Group;
use crate::studio::targets::misfits::misfits;
use crate::studio::targets::sharing::ServerReach;
use crate::studio::targets::{Target, address};
use crate::studio::watch::own_chat::ChatCommand;
use crate::text::Problem;
use crate::text::problem::problem;

/// The notices about what a server does not take.
const LEFT_OUT_NOTICES: [&str; 3] =
    ["target-tracks-left-out", "target-renditions-left-out", "target-layers-left-out"];

impl Engine {
    pub fn start_built_in(&mut self) {
        match self.built_in.start(&self.runtime, self.clock) {
            Ok(messages) => {
                for message in messages {
                    self.notices.raise(&message, "");
                }
                let ready = self.built_in.ready();
                self.notices.send_event(Event::Ready(ready));
                self.tell_reach();
            }
            Err(message) => self.notices.raise(&message, ""),
        }
    }

    /// Reports on the command line which computers can reach the built-in server. The window shows
    /// this elsewhere.
    fn tell_reach(&mut self) {
        if self.built_in.wanted_at_once() {
            return;
        }
        let (ready, reach) = (self.built_in.ready(), self.built_in.reach());
        // Only programs on this computer may publish.
        if self.built_in.needs_play_key() {
            return;
        }
        let rtmp = reach.rtmp.then_some(ready.rtmp);
        let http = ready.http.filter(|_| reach.http);
        for address in rtmp.into_iter().chain(http) {
            self.notices.raise(&StudioMessage::ServerOpenToPlay { address }, "");
        }
    }

    /// Stops the built-in server, unless it is a target of the broadcast.
    pub fn stop_built_in(&mut self) {
        let is_used = |target: &Target| target.is_built_in() && target.enabled;
        if self.live.is_publishing() && self.targets.list.iter().any(is_used) {
            return;
        }
        self.notices.active.clear(&["port-taken", "server-failed"]);
        self.built_in.shutdown();
    }

    /// Sends a message to the chat of the program's own stream, or moderates that chat.
    pub fn handle_chat(&mut self, command: ChatCommand) {
        if let ChatCommand::SetRules(rules) = &command {
            self.settings.chat_rules = rules.clone().checked();
            self.built_in.set_chat_rules(self.settings.chat_rules.clone());
            self.changed();
        }
        self.built_in.handle_chat(command);
    }

    /// Polls the chat of the program's own stream. Its rules and mutes can also be set over HTTP.
    pub fn poll_chat(&mut self) {
        self.built_in.poll_chat(&self.watch.chat_choices().name);
        if let Some(rules) = self.built_in.changed_chat_rules() {
            self.settings.chat_rules = rules;
            self.changed();
        }
    }

    /// Joins and polls the chats of streaming services.
    pub fn poll_service_chats(&mut self) {
        let choices = self.watch.chat_choices();
        self.service_chats.follow(choices, self.watch.net_options(), &self.runtime);
        for news in self.service_chats.poll(choices) {
            self.notices.send_event(Event::ServiceChat(Box::new(news)));
        }
        let services = self.service_chats.view().lines;
        self.state.stage.chat.follow(&self.built_in.chat_posts(), &services);
    }

    /// Sets which computers can reach the built-in server.
    pub fn set_reach(&mut self, reach: ServerReach) {
        self.notices.active.clear(&["server-not-moved"]);
        if let Err(message) = self.built_in.set_reach(reach) {
            self.notices.raise(&message, "");
        }
        self.settings.reach = self.built_in.reach();
        self.changed();
    }

    pub fn go_live(&mut self) {
        if self.live.stopping || self.state.quitting {
            return;
        }
        // A file that is being inspected goes live next.
        if self.live.is_publishing() || self.live.opening.is_some() {
            return;
        }
        let left = self.live.on_air.as_mut().map(OnAir::forget_ended);
        self.all_happened(left.unwrap_or_default());
        self.clear_broadcast_notices();
        self.begin_summary();
        let resolved = self.resolve_enabled();
        if resolved.is_empty() || !self.begin_broadcast() {
            self.notices.send_event(Event::Stopped);
            return;
        }
        if let Some(on_air) = &mut self.live.on_air {
            let delay = self.settings.delay;
            if !delay.is_zero()
                && let Err(error) =
                    on_air.start_stream_delay(delay, self.config.delay_folder.clone(), self.clock)
            {
                // If the requested delay is not possible, nothing is sent.
                self.notices.raise(&StudioMessage::EncoderFailed { reason: error.into() }, "");
                self.end_if_idle();
                return;
            }
        }
        // The last events of earlier attempts are dropped.
        drop(self.publish(resolved));
        self.live.series = BroadcastSeries::default();
        self.tell_misfits();
    }

    /// Begins the summary of a new broadcast.
    pub fn begin_summary(&mut self) {
        let number = self.live.summary.number + 1;
        self.live.summary = BroadcastSummary { number, ..BroadcastSummary::default() };
        (self.live.is_summarized, self.live.is_recorded_later) = (false, false);
        let on_air = self.live.on_air.as_ref();
        let figures = on_air.map(OnAir::live_figures).unwrap_or_default();
        self.live.skipped_before = figures.skipped_frames;
        self.live.encoded_before = figures.encoded;
    }

    /// Reports once the settings that exceed the limits of the services.
    pub fn tell_misfits(&mut self) {
        let on_air = self.live.is_publishing() && !self.live.is_passthrough();
        let found = match on_air {
            true => misfits(&self.targets.list, &self.services, &self.state.quality),
            false => Vec::new(),
        };
        if found == self.targets.misfits {
            return;
        }
        self.notices.active.clear(&["misfit"]);
        for message in &found {
            self.notices.raise(message, "");
        }
        self.targets.misfits = found;
    }

    /// Withdraws notices of an earlier broadcast.
    pub fn clear_broadcast_notices(&mut self) {
        self.notices.active.clear(Group::Target.keys());
        self.notices.active.clear(Group::Adaptation.keys());
        self.notices.active.clear(Group::DroppedFrames.keys());
        let keys = [
            "passthrough-failed",
            "passthrough-ended",
            "passthrough-without",
            "frames-dropped-over",
            "encoder-slow",
            "encoder-lightened",
            "encoder-restarted",
            "encoder-replaced",
            "recording-encoder-failed",
            "misfit",
        ];
        self.notices.active.clear(&keys);
        self.targets.events.clear();
        self.targets.reported_causes.clear();
        self.targets.unfinished.clear();
        self.targets.misfits.clear();
    }

    /// Ends the broadcast after the content of the stream delay is sent. The second call, or a call
    /// without a stream delay, ends the broadcast at once.
    pub fn stop_after_delay(&mut self) {
        let drains: Vec<bool> = self.live.all().map(OnAir::drain).collect();
        if !drains.contains(&true) {
            self.stop_live();
        }
    }

    /// Returns the enabled targets with valid addresses. Reports targets with invalid addresses, or
    /// that no target is enabled.
    pub fn resolve_enabled(&mut self) -> Vec<WantedTarget> {
        // Targets of the second canvas get nothing while it is off.
        let has_second = self.settings.canvas.enabled;
        let is_wanted = |it: &&Target| it.enabled && (has_second || !it.second_canvas);
        let wanted: Vec<Target> = self.targets.list.iter().filter(is_wanted).cloned().collect();
        if wanted.is_empty() {
            self.notices.raise(&StudioMessage::NoTarget {}, "");
        }
        wanted.iter().filter_map(|target| self.resolve(target)).collect()
    }

    /// Returns the publisher's configuration for a target, and reports the target's problems.
    pub fn resolve(&mut self, target: &Target) -> Option<WantedTarget> {
        // The connection uses the newest edits, and must not start again for them.
        self.targets.edited.remove(&target.id);
        self.targets.unfinished.remove(&target.id);
        if target.is_built_in() {
            self.start_built_in_if_needed();
        }
        match address::resolve(
            target,
            self.built_in.entrance(),
            &self.config.options,
            self.config.retry_for,
        ) {
            Ok(mut resolved) => {
                if resolved.url.has_layers() {
                    resolved.layers = target.simulcast.get();
                }
                let label = self.label(target, &resolved.url.authority());
                if let Some(reason) = resolved.url.remark() {
                    let host = label.clone();
                    self.notices.raise(&StudioMessage::AddressRemark { host, reason }, "");
                }
                Some(WantedTarget {
                    id: target.id,
                    label,
                    built_in: target.is_built_in(),
                    floor: target.least_bitrate,
                    mix: target.mix,
                    tracks: target.tracks,
                    renditions: match target.second_canvas {
                        true => Vec::new(),
                        false => target.renditions.clone(),
                    },
                    target: resolved,
                })
            }
            Err(reason) => {
                let message = self.invalid(target, reason.clone());
                self.notices.raise(&message, "");
                self.target_reported(event::Target {
                    index: target.id as usize,
                    url: address::shown(target),
                    state: TargetState::Failed,
                    cause: Some(cause(reason)),
                    exit: Some(2),
                    ..event::Target::default()
                });
                None
            }
        }
    }

    /// Returns the name of a target in messages.
    fn label(&self, target: &Target, place: &str) -> String {
        address::label(target, place, &self.services, &self.targets.list)
    }

    /// Reports that a target's address or key cannot be used.
    pub fn invalid(&self, target: &Target, reason: Problem) -> StudioMessage {
        let (id, host) = (target.id, self.label(target, ""));
        StudioMessage::TargetInvalid { id, host, reason: cause(reason) }
    }

    /// Stores a target's newest state for the window, and reports it.
    pub fn target_reported(&mut self, event: event::Target) {
        if let Ok(id) = u32::try_from(event.index) {
            self.targets.events.insert(id, event.clone());
        }
        self.notices.send_event(Event::Target(event));
    }

    /// On air, starts or stops a target after it was enabled or disabled; the others continue.
    pub fn follow_switch(&mut self, id: u32) {
        let target = self.targets.list.iter().find(|target| target.id == id).cloned();
        let enabled = target.as_ref().is_some_and(|target| target.enabled);
        if !enabled {
            // The target may have failed, or its broadcast may have ended.
            self.notices.end_target(Group::Target.keys(), id);
            self.clear_link_notices(id);
            self.live.series.switched_off(id as usize, self.clock.now());
        }
        if !self.live.is_publishing() || self.live.sends_to(id) == enabled {
            return;
        }
        if !enabled {
            let words = self.last_words.0.clone();
            let on_air = self.live.sending_to(id);
            self.endings.broadcasts.extend(on_air.and_then(|it| it.end_publisher(id, words)));
            return;
        }
        let has_canvas = self.settings.canvas.enabled;
        let target = target.filter(|target| has_canvas || !target.second_canvas);
        let Some(target) = target.filter(|target| !self.is_unfinished(target)) else { return };
        let Some(resolved) = self.resolve(&target) else { return };
        self.clear_link_notices(id);
        let left = self.publish(vec![resolved]);
        self.all_happened(left);
    }

    /// Adds these targets to the broadcast, after the encoders of their mixes have started. Returns
    /// the last events of their earlier attempts.
    pub fn publish(&mut self, wanted: Vec<WantedTarget>) -> Vec<OutputNews> {
        if self.live.on_air.is_none() {
            return Vec::new();
        }
        let (wanted, second) = self.by_canvas(wanted);
        let mut left = self.publish_second(second);
        let used = audio_tracks::used(&self.settings.strips);
        let Some(on_air) = &mut self.live.on_air else { return left };
        let encoded = self.state.program.as_ref();
        let encoded = encoded.map(|program| {
            on_air.encode_renditions(&wanted, program);
            on_air.encode_mixes(&wanted, used, program)
        });
        left.extend(on_air.publish(&self.runtime, self.clock, wanted));
        if let Some(Err(reason)) = encoded {
            self.notices.raise(&StudioMessage::EncoderFailed { reason }, "");
        }
        left
    }

    /// Withdraws the notices about a target's link and what the server takes, before the connection ends or a new one
    /// replaces it.
    pub fn clear_link_notices(&mut self, id: u32) {
        let label = self.live.all().find_map(|on_air| on_air.label(id));
        self.notices.end_target(Group::DroppedFrames.keys(), id);
        self.notices.end_target(&LEFT_OUT_NOTICES, id);
        self.end_rendition_notice(id, &label.unwrap_or_default());
    }

    /// Withdraws the notice about the second encode of this target, which messages name `host`.
    pub fn end_rendition_notice(&mut self, id: u32, host: &str) {
        self.notices.active.clear_at("rendition-lowered", host);
        self.notices.log_ended_of(&["rendition-lowered"], id, host);
    }

    pub fn start_built_in_if_needed(&mut self) {
        if !self.built_in.is_running() {
            self.start_built_in();
        }
    }

    /// Starts the encoders and the hub for a broadcast or a recording, and ends a running check.
    /// Returns false, with a notice, if the encoders cannot be started.
    pub fn begin_broadcast(&mut self) -> bool {
        self.end_checks();
        self.begin_encoders()
    }

    fn begin_encoders(&mut self) -> bool {
        if self.live.on_air.is_some() {
            return true;
        }
        self.apply_quality();
        // All encoders are opened first, so that recordings of sources begin with the program.
        let sources = self.open_source_recordings();
        let second = self.open_second();
        let Some(program) = &self.state.program else {
            self.live.second.wanted_file = None;
            return false;
        };
        match OnAir::open_main(program, &self.state.quality, self.clock) {
            Ok(opened) => {
                let now = self.clock.now();
                let (on_air, events) = opened.begin(program, now);
                self.live.on_air = Some(on_air);
                self.guest_load_ended();
                self.live.series.begin_pace();
                self.notices.take_back("encoder-failed");
                for event in events {
                    self.notices.send_event(event);
                }
                self.keep_replay();
                self.begin_source_recordings(sources, now);
                self.begin_opened_second(second, now);
                true
            }
            Err(reason) => {
                self.close_source_recordings(sources);
                drop(second);
                self.live.second.wanted_file = None;
                self.follow_canvas();
                self.notices.raise(&StudioMessage::EncoderFailed { reason }, "");
                false
            }
        }
    }

    pub fn stop_live(&mut self) {
        self.stop_second_targets();
        let Some(on_air) = &mut self.live.on_air else { return };
        let is_over = !on_air.is_publishing() && on_air.passthrough().is_none();
        // The broadcast may have ended just before the command, but its recording continues.
        if is_over && on_air.is_recording() {
            return;
        }
        let stays = on_air.is_recording() || self.settings.preferences.recording.keeps_always();
        if stays && on_air.is_publishing() && on_air.passthrough().is_none() {
            self.live.stopping = true;
            let figures = on_air.summary_figures();
            self.endings.broadcasts.extend(on_air.end_publishers(self.last_words.0.clone()));
            self.summarize(&figures);
            self.notices.end_all(&address::STALLED_NOTICES);
            self.notices.end_all(Group::DroppedFrames.keys());
            self.notices.end_all(&["rendition-lowered"]);
            // The notices about refusals stay until the next broadcast.
            self.notices.log_ended(Group::Target.keys());
            self.tell_misfits();
        } else {
            self.end_broadcast();
        }
    }

    /// Ends the encoders, the outputs and the hub in the background, in that order.
    pub fn end_broadcast(&mut self) {
        self.stop_source_recordings();
        self.stop_second_recording();
        self.stop_program(SECOND_PROGRAM);
        // Earlier events are reported before those of the end.
        let now = self.clock.now();
        let news = self.live.on_air.as_mut().map(|on_air| on_air.poll_outputs(now));
        self.all_happened(news.unwrap_or_default());
        let Some(mut on_air) = self.live.on_air.take() else { return };
        let program = self.state.program.as_ref();
        self.live.ending = Some(on_air.stats(program, self.machine.usage, now));
        let figures = on_air.summary_figures();
        self.summarize(&figures);
        self.guest_load_ended();
        self.notices.end_all(Group::Broadcast.keys());
        self.notices.log_ended(Group::Target.keys());
        self.end_monitors();
        if let Some(program) = &self.state.program {
            program.detach(ProgramId::MAIN, on_air.late_audio_wait(self.state.quitting));
        }
        self.live.stopping = true;
        let words = self.last_words.0.clone();
        self.endings.broadcasts.extend(on_air.end(self.state.quitting, words));
    }

    /// Reports the last counters of a broadcast, with those of earlier ones.
    pub fn broadcast_counted(&mut self, mut totals: stats::Totals) {
        if let Some(mut last) = self.live.ending.take() {
            last.count(&totals);
            last.add_earlier(&self.live.earlier);
            totals.video = last.video.map(|video| (video.encoded, video.keyframes));
            // A broadcast of a file has no encoders.
            last.video = last.video.or(self.live.earlier.video);
            last.audio = last.audio.or(self.live.earlier.audio);
            self.live.earlier = last;
        }
        self.notices.send_event(Event::Totals(totals));
    }

    /// Reports the summary if all targets have ended while a recording or the replay buffer
    /// continues.
    pub fn summarize_if_over(&mut self) {
        let Some(on_air) = self.live.on_air.as_ref().filter(|_| !self.live.is_summarized) else {
            return;
        };
        if !on_air.is_publishing() {
            let figures = on_air.summary_figures();
            self.summarize(&figures);
        }
    }

    /// Reports the summary of the broadcast, once, if a target was live.
    fn summarize(&mut self, figures: &LiveFigures) {
        // The stream delay ends with the broadcast.
        self.notices.active.clear(&["delay-short"]);
        if !figures.was_live() || std::mem::replace(&mut self.live.is_summarized, true) {
            return;
        }
        let seconds = figures.on_air_for.as_secs();
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        self.notices.note(&StudioMessage::BroadcastEnded {
            time: format!("{hours:02}:{minutes:02}:{:02}", seconds % 60),
            sent: format!("{:.1} MB", figures.sent_bytes as f64 / 1e6),
            dropped: figures.dropped_frames.to_string(),
            lost: count_or_none(figures.lost_frames),
        });
        // If the last target was switched off, a recording may continue.
        self.notices.log_ended(Group::Target.keys());
        self.notices.log_ended(Group::DroppedFrames.keys());
        self.notices.log_ended(&["rendition-lowered"]);
        let missed = self.missed_targets();
        let skipped_before = self.live.skipped_before;
        let interrupted = self.live.series.interrupted(self.clock.now());
        let summary = &mut self.live.summary;
        summary.on_air_for = figures.on_air_for;
        summary.skipped_frames = figures.skipped_frames.saturating_sub(skipped_before);
        summary.sent_bytes = figures.sent_bytes;
        (summary.dropped_frames, summary.total_frames) =
            (figures.dropped_frames, figures.total_frames);
        summary.lost_frames = figures.lost_frames;
        summary.reconnects = figures.reconnects;
        summary.interrupted = interrupted;
        summary.targets.extend(missed);
    }

    /// Returns the targets that are on but were never live during the broadcast.
    fn missed_targets(&self) -> Vec<BroadcastTarget> {
        let known = &self.live.summary.targets;
        let is_missed = |it: &&Target| {
            let is_known = known.iter().any(|known| known.id == Some(it.id));
            it.enabled && !is_known
        };
        let missed = self.targets.list.iter().filter(is_missed);
        let missed = missed.map(|target| {
            let url = address::parse(target.server(), target.key());
            let place = url.map(|url| url.authority()).unwrap_or_default();
            let label = self.label(target, &place);
            BroadcastTarget { id: Some(target.id), label, was_live: false }
        });
        missed.collect()
    }

    pub fn end_if_idle(&mut self) {
        let passthrough = self.live.is_passthrough();
        let keeps = self.settings.preferences.recording.keeps_always() && !self.state.quitting;
        if (passthrough || !keeps) && self.live.on_air.is_some() && !self.live.is_busy() {
            self.report_passthrough();
            self.end_broadcast();
        }
    }

    /// If nothing else needs the encoders, runs them for the replay buffer, provided that the user
    /// has chosen this.
    pub fn keep_always(&mut self) {
        let state = &self.state;
        let free = self.live.on_air.is_none()
            && self.endings.broadcasts.is_empty()
            && !(self.live.stopping || state.quitting || self.live.replay_failed)
            && !self.startup.is_undecided()
            && state.program.is_some();
        if free && self.settings.preferences.recording.keeps_always() {
            self.live.replay_failed = !self.begin_encoders();
        }
    }
}

/// Returns the reason why a target's address or key cannot be used, with a cure.
pub fn cause(reason: Problem) -> Problem {
    match reason.own_cure() {
        Some(_) => reason,
        None => reason.with_cure(problem!("target-cure-address")),
    }
}

#[cfg(test)]
pub(in crate::engine) mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::audio::AudioChoice;
    use crate::base::{Clock, Latest, Secret, queue};
    use crate::broadcast::publisher::Flow;
    use crate::capture::VideoChoice;
    use crate::media::Size;
    use crate::net::Trouble;
    use crate::studio::command::Command;
    use crate::studio::engine::config::Config;
    use crate::studio::engine::handle::{OwnerEnds, Studio, assemble};
    use crate::studio::engine::server::Serve;
    use crate::studio::live::outputs::OutputNews;
    use crate::studio::live::view::LiveState;
    use crate::studio::notices::Notice;
    use crate::studio::program::Program;
    use crate::studio::settings::Settings;
    use crate::studio::snapshot::Snapshot;
    use crate::studio::sources::open::SourceOpener;
    use crate::studio::targets::quality::Quality;

    /// Returns a studio without a program and a keyring, whose settings are in this folder, if any.
    pub fn at_rest(folder: Option<&Path>) -> (Engine, OwnerEnds) {
        let config = Config {
            settings_path: folder.map(|folder| folder.join("settings.toml")),
            keyring: false,
            ..Config::new(Clock::start(), Settings::default())
        };
        assemble(config).unwrap()
    }

    /// Returns a studio with a small program, whose settings are in this folder, if any.
    pub fn with_program(folder: Option<&Path>) -> (Engine, OwnerEnds) {
        let quality = Quality { size: Size::new(320, 180), ..Quality::default() };
        let settings = Settings { quality: quality.clone(), ..Settings::default() };
        let config = Config {
            settings_path: folder.map(|folder| folder.join("settings.toml")),
            keyring: false,
            ..Config::new(Clock::start(), settings)
        };
        let (mut engine, ends) = assemble(config).unwrap();
        let media = SourceOpener::opened_by(crate::capture::open_by);
        let mut program = Program::start(engine.clock, &quality, Latest::default(), media).unwrap();
        program.keep_video();
        engine.state.program = Some(program);
        engine.state.quality = quality;
        (engine, ends)
    }

    /// Returns a studio on air, whose only target cannot be reached and is retried.
    pub fn on_air() -> (Engine, OwnerEnds) {
        let (mut engine, ends) = with_program(None);
        let target = Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::new("key"));
        engine.targets.list = vec![target];
        engine.go_live();
        assert!(engine.live.is_publishing());
        (engine, ends)
    }

    /// Ends the broadcast and the program.
    pub fn end(mut engine: Engine) {
        engine.end_broadcast();
        drop(engine.state.program.take().map(Program::end));
    }

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn the_summary_tells_which_targets_were_on_and_never_live() {
        let (mut engine, _ends) = at_rest(None);
        let target = |id, enabled| Target {
            enabled,
            ..Target::custom(id, &format!("rtmp://host{id}/app"), Secret::new("key"))
        };
        engine.targets.list = vec![target(1, true), target(2, true), target(3, false)];
        let known =
            |id, was_live| BroadcastTarget { id: Some(id), label: format!("host{id}"), was_live };
        engine.live.summary.targets = vec![known(1, true)];
        let on_air_for = Duration::from_secs(5);
        engine.summarize(&LiveFigures { on_air_for, ..LiveFigures::default() });
        assert_eq!(engine.live.summary.targets, [known(1, true), known(2, false)]);
    }

    /// Saves the changes of the settings.
    pub fn save(engine: &mut Engine) {
        engine.save();
        engine.finish_save(LIMIT, false);
        assert!(!engine.file.is_saving());
    }

    /// Waits until a state is reached.
    pub fn until(what: &str, mut is_reached: impl FnMut() -> bool) {
        let since = Instant::now();
        while !is_reached() {
            assert!(since.elapsed() < LIMIT, "no {what}");
            std::thread::yield_now();
        }
    }

    /// Waits until the studio shows a state.
    fn until_shown(studio: &Studio, what: &str, is_shown: impl Fn(&Snapshot) -> bool) {
        until(what, || is_shown(&studio.snapshot()));
    }

    /// Returns a studio that sends to its own server and records, with its folder.
    fn on_air_and_recording(delay: Duration) -> (Studio, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            video: Some(VideoChoice::Test),
            audio: Some(AudioChoice::Tone),
            quality: Quality { size: Size::new(320, 180), ..Quality::default() },
            delay,
            ..Settings::default()
        };
        let config = Config {
            keyring: false,
            delay_folder: folder.path().to_owned(),
            ..Config::new(Clock::start(), settings)
        };
        let studio = Studio::start(config).unwrap();
        studio.send(Command::GoLive);
        until_shown(&studio, "broadcast", |it| it.live == LiveState::OnAir);
        studio.send(Command::StartRecording(folder.path().join("show.mkv")));
        until_shown(&studio, "recording", |it| it.recording.is_some());
        (studio, folder)
    }

    #[test]
    fn the_summary_does_not_wait_for_the_end_of_the_recording() {
        let (studio, _folder) = on_air_and_recording(Duration::from_millis(500));
        studio.send(Command::StopAfterDelay);
        until_shown(&studio, "summary", |it| it.last_broadcast.is_some());
        assert!(studio.snapshot().recording.is_some());
        studio.end(LIMIT).unwrap();
    }

    #[test]
    fn switching_the_last_target_off_ends_the_broadcast_with_a_summary() {
        let (studio, _folder) = on_air_and_recording(Duration::ZERO);
        until_shown(&studio, "time on air", |it| it.figures.was_live());
        let sent = studio.snapshot().figures.sent_bytes;
        studio.send(Command::PutTarget(Target { enabled: false, ..Target::built_in() }));
        until_shown(&studio, "summary", |it| it.last_broadcast.is_some());
        let snapshot = studio.snapshot();
        let summary = snapshot.last_broadcast.unwrap();
        assert!(summary.sent_bytes >= sent && sent > 0, "{summary:?}");
        assert!(!summary.on_air_for.is_zero() && snapshot.recording.is_some(), "{summary:?}");
        studio.end(LIMIT).unwrap();
    }

    #[test]
    fn the_sent_data_of_a_target_that_is_switched_off_still_counts() {
        let (studio, _folder) = on_air_and_recording(Duration::ZERO);
        // The broadcast continues because of a target that is never reached.
        let other = Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::new("key"));
        studio.send(Command::PutTarget(other));
        until_shown(&studio, "sent data", |it| {
            it.figures.sent_bytes > 0 && it.figures.was_live() && it.targets.len() == 2
        });
        let sent = studio.snapshot().figures.sent_bytes;
        studio.send(Command::PutTarget(Target { enabled: false, ..Target::built_in() }));
        until_shown(&studio, "target that is off", |it| {
            it.targets.iter().any(|entry| !entry.target.enabled)
        });
        let after = studio.snapshot();
        assert!(after.last_broadcast.is_none(), "still on air");
        assert!(after.targets.iter().all(|it| it.was_live == it.target.is_built_in()));
        assert!(after.figures.sent_bytes >= sent, "{} of {sent}", after.figures.sent_bytes);
        studio.send(Command::StopLive);
        until_shown(&studio, "summary", |it| it.last_broadcast.is_some());
        let summary = studio.snapshot().last_broadcast.unwrap();
        assert_eq!(summary.sent_bytes, after.figures.sent_bytes, "counted once");
        studio.end(LIMIT).unwrap();
    }

    #[test]
    fn the_frames_of_an_earlier_recording_do_not_count_on_air() {
        let (mut engine, _ends) = with_program(None);
        let folder = tempfile::tempdir().unwrap();
        engine.start_recording(folder.path().join("show.mkv"));
        let encoded = |engine: &Engine| engine.live.on_air.as_ref().unwrap().live_figures().encoded;
        until("frame", || encoded(&engine) > 0);
        engine.targets.list = vec![Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::new("key"))];
        engine.go_live();
        assert!(engine.live.is_publishing() && engine.live.encoded_before > 0);
        let shown = engine.snapshot(false).figures.encoded;
        assert!(shown + engine.live.encoded_before <= encoded(&engine));
        end(engine);
    }

    #[test]
    fn a_second_stop_of_the_broadcast_does_not_end_its_recording() {
        let (mut engine, _ends) = on_air();
        let folder = tempfile::tempdir().unwrap();
        engine.start_recording(folder.path().join("show.mkv"));
        for _ in 0..2 {
            engine.handle(Command::StopLive);
            assert!(engine.live.on_air.as_ref().is_some_and(OnAir::is_recording));
        }
        engine.handle(Command::StopRecording);
        assert!(engine.live.on_air.is_none());
        end(engine);
    }

    #[test]
    fn a_broadcast_that_is_requested_while_an_earlier_one_ends_begins_after_it() {
        let (mut engine, _ends) = on_air();
        engine.stop_live();
        engine.handle(Command::GoLive);
        assert!(!engine.live.is_publishing() && engine.live.stopping);
        until("broadcast", || {
            engine.poll();
            engine.live.is_publishing()
        });
        // The user changes their mind.
        engine.stop_live();
        engine.handle(Command::GoLive);
        engine.handle(Command::StopLive);
        assert!(engine.startup.postponed.is_empty());
        end(engine);
    }

    #[test]
    fn a_recording_that_goes_on_has_no_notices_about_ended_targets() {
        let (mut engine, _ends) = on_air();
        let folder = tempfile::tempdir().unwrap();
        engine.start_recording(folder.path().join("show.mkv"));
        let (id, host, flow) = (1, "host:1935".to_owned(), Flow::Silent);
        engine.all_happened(vec![OutputNews::Flow { id, host, flow }]);
        let is_silent = |engine: &Engine| {
            engine.notices.active.notices().iter().any(|notice| notice.key() == "target-silent")
        };
        assert!(is_silent(&engine));
        engine.stop_live();
        assert!(engine.live.on_air.is_some() && !is_silent(&engine));
        end(engine);
    }

    /// The end of the same problem in the next broadcast gives only that problem its duration.
    #[test]
    fn the_problems_of_a_broadcast_end_with_it_in_the_event_log() {
        let (mut engine, _ends) = on_air();
        let (host, kbps, wanted) = ("host:1935".into(), "800".into(), "2500".into());
        engine.notices.raise(&StudioMessage::BitrateLowered { host, kbps, wanted }, "");
        assert!(is_open(&engine, "bitrate-lowered"));
        engine.end_broadcast();
        assert!(!is_open(&engine, "bitrate-lowered"));
        end(engine);
    }

    /// Returns true if a message with this key has not ended in the event log.
    fn is_open(engine: &Engine, key: &str) -> bool {
        let entries = engine.notices.log.entries();
        entries.iter().any(|it| it.notice.key() == key && it.lasted.is_none())
    }

    #[test]
    fn a_lowered_rendition_ends_in_the_event_log_with_the_last_target() {
        let (mut engine, _ends) = at_rest(None);
        let (host, size, kbps) = ("host:1935".into(), "640x360".into(), "800".into());
        engine.notices.raise(&StudioMessage::RenditionLowered { host, size, kbps }, "");
        assert!(is_open(&engine, "rendition-lowered"));
        let on_air_for = Duration::from_secs(5);
        engine.summarize(&LiveFigures { on_air_for, ..LiveFigures::default() });
        assert!(!is_open(&engine, "rendition-lowered"));
    }

    /// Returns the hosts with a second encode: in the notices, and in the event log if they have not
    /// ended there.
    fn lowered_hosts(engine: &Engine) -> [Vec<String>; 2] {
        let host = |it: &Notice| it.value("host").filter(|_| it.key() == "rendition-lowered");
        let entries = engine.notices.log.entries();
        let open = entries.iter().filter(|it| it.lasted.is_none());
        let active = engine.notices.active.notices().iter();
        [active.filter_map(host).collect(), open.filter_map(|it| host(&it.notice)).collect()]
    }

    fn raise_lowered(engine: &mut Engine, host: &str) {
        let (host, size, kbps) = (host.to_owned(), "640x360".into(), "800".into());
        engine.notices.raise(&StudioMessage::RenditionLowered { host, size, kbps }, "");
    }

    #[test]
    fn a_target_that_has_ended_no_longer_gets_a_second_encode() {
        for state in [TargetState::Failed, TargetState::Stopped] {
            let (mut engine, _ends) = at_rest(None);
            let of = |index, state| event::Target {
                index,
                host: format!("host{index}:1935"),
                state,
                ..event::Target::default()
            };
            raise_lowered(&mut engine, "host1:1935");
            raise_lowered(&mut engine, "host2:1935");
            let host = "host1:1935".to_owned();
            engine.notices.raise(&StudioMessage::FramesDropped { id: 1, host, kbps: None }, "");
            engine.target_happened(of(1, TargetState::Reconnecting));
            assert_eq!(lowered_hosts(&engine), [["host1:1935", "host2:1935"]; 2]);
            engine.target_happened(of(1, state));
            assert_eq!(lowered_hosts(&engine), [["host2:1935"]; 2], "{state:?}");
            // A separate message with the duration ends this one.
            assert!(is_open(&engine, "frames-dropped"), "{state:?}");
        }
    }

    #[test]
    fn the_problems_of_a_target_end_when_it_is_switched_off() {
        for has_ended in [false, true] {
            let (mut engine, _ends) = on_air();
            engine.target_happened(event::Target {
                index: 1,
                state: TargetState::Failed,
                trouble: Some(Trouble::Refused),
                ..event::Target::default()
            });
            let sent = engine.live.on_air.as_ref().unwrap().targets().next().unwrap();
            let host = sent.label.clone();
            if has_ended {
                assert!(sent.publisher.stop(LIMIT).state.is_over());
            }
            raise_lowered(&mut engine, &host);
            assert!(is_open(&engine, "target-refused"));
            engine.targets.list[0].enabled = false;
            engine.follow_switch(1);
            assert!(lowered_hosts(&engine).concat().is_empty(), "ended: {has_ended}");
            assert!(!is_open(&engine, "target-refused"), "ended: {has_ended}");
            end(engine);
        }
    }

    #[test]
    fn the_problems_of_targets_end_with_the_broadcast_also_if_a_recording_goes_on() {
        for records in [false, true] {
            let (mut engine, _ends) = on_air();
            let folder = tempfile::tempdir().unwrap();
            if records {
                engine.start_recording(folder.path().join("show.mkv"));
            }
            engine.target_happened(event::Target {
                index: 2,
                state: TargetState::Failed,
                trouble: Some(Trouble::Refused),
                ..event::Target::default()
            });
            let dropped = StudioMessage::FramesDropped { id: 1, host: "host".into(), kbps: None };
            engine.notices.raise(&dropped, "");
            let keys = ["target-refused", "frames-dropped"];
            assert!(keys.iter().all(|key| is_open(&engine, key)));
            engine.stop_live();
            assert_eq!(engine.live.on_air.is_some(), records);
            assert!(!keys.iter().any(|key| is_open(&engine, key)), "recording: {records}");
            // The refusal stays until the next broadcast.
            let notices = engine.notices.active.notices().iter();
            let shown: Vec<_> = notices.map(Notice::key).filter(|it| keys.contains(it)).collect();
            assert_eq!(shown, ["target-refused"], "recording: {records}");
            end(engine);
        }
    }

    #[test]
    fn that_the_stream_delay_is_short_is_withdrawn_when_the_broadcast_ends() {
        let stop: fn(&mut Engine) = Engine::stop_live;
        let switch_off: fn(&mut Engine) = |engine| {
            engine.targets.list[0].enabled = false;
            engine.follow_switch(1);
            engine.end_if_idle();
            engine.summarize_if_over();
        };
        for (end_of_broadcast, records) in
            [(stop, false), (stop, true), (switch_off, false), (switch_off, true)]
        {
            let (mut engine, _ends) = on_air();
            let folder = tempfile::tempdir().unwrap();
            if records {
                engine.start_recording(folder.path().join("show.mkv"));
            }
            let (time, wanted, reason) = ("0:10".into(), "0:30".into(), "the disk is full".into());
            engine.notices.raise(&StudioMessage::DelayShort { time, wanted, reason }, "");
            let is_short = |engine: &Engine| {
                engine.notices.active.notices().iter().any(|notice| notice.key() == "delay-short")
            };
            engine.summarize_if_over();
            assert!(is_short(&engine), "it is still on air");
            end_of_broadcast(&mut engine);
            assert!(!is_short(&engine));
            assert_eq!(engine.live.on_air.is_some(), records);
            end(engine);
        }
    }

    #[test]
    fn the_outage_of_a_failed_target_ends_when_it_is_switched_off() {
        let (mut engine, _ends) = on_air();
        for state in [TargetState::Live, TargetState::Failed] {
            engine.target_happened(event::Target { index: 1, state, ..event::Target::default() });
        }
        let interrupted = |engine: &Engine, seconds| {
            engine.live.series.interrupted(engine.clock.now() + Duration::from_secs(seconds))
        };
        assert!(interrupted(&engine, 60) >= Duration::from_secs(60));
        // Its connection has ended already.
        let (nobody, _) = queue::bounded("last-words", 1, queue::Full::DropOldest);
        drop(engine.live.on_air.as_mut().and_then(|it| it.end_publisher(1, nobody)));
        engine.targets.list[0].enabled = false;
        engine.follow_switch(1);
        assert_eq!(interrupted(&engine, 60), interrupted(&engine, 120));
        end(engine);
    }

    #[test]
    fn the_built_in_server_is_not_stopped_while_the_broadcast_goes_to_it() {
        let (mut engine, _ends) = with_program(None);
        engine.targets.list = vec![Target::built_in()];
        engine.go_live();
        assert!(engine.live.is_publishing());
        engine.handle(Command::Serve(false));
        assert!(engine.built_in.is_running());
        // Only another target is left.
        engine.targets.list[0].enabled = false;
        engine.targets.list.push(Target::custom(1, "rtmp://127.0.0.1:1/app", Secret::new("key")));
        engine.handle(Command::Serve(false));
        assert!(!engine.built_in.is_running());
        end(engine);
    }

    #[test]
    fn the_event_log_names_the_built_in_server() {
        let (mut engine, _ends) = at_rest(None);
        engine.targets.list = vec![Target::built_in()];
        for index in [0, 1] {
            let state = TargetState::Live;
            let host = "127.0.0.1".to_owned();
            engine.target_happened(event::Target { index, host, state, ..Default::default() });
        }
        let entries = engine.notices.log.entries();
        let live = entries.iter().filter(|it| it.notice.key() == "target-on-air");
        let texts: Vec<String> = live.map(|it| it.notice.summary()).collect();
        assert_eq!(texts, ["The built-in server is live.", "127.0.0.1 is live."]);
    }

    #[test]
    fn a_server_that_others_reach_is_open_to_viewers_alone() {
        let server_notices = |play_key| {
            let reach = ServerReach { rtmp: true, ..ServerReach::default() };
            let settings = Settings { reach, play_key, ..Settings::default() };
            let config = Config {
                keyring: false,
                serve: Serve::WhenNeeded,
                ..Config::new(Clock::start(), settings)
            };
            let (mut engine, _ends) = assemble(config).unwrap();
            engine.start_built_in();
            let keys = engine.notices.active.notices().iter().map(Notice::key);
            keys.filter(|key| key.starts_with("server-")).collect::<Vec<_>>()
        };
        assert_eq!(server_notices(false), ["server-open-to-play"]);
        assert!(server_notices(true).is_empty());
    }
}
