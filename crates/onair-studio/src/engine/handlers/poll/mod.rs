//! Polls all parts, and reports their events.

mod plugins;

use std::time::{Duration, Instant};

use crate::base::Worker;
use crate::broadcast::publisher::Flow;
use crate::files::disk_space::Warning;
use crate::media::source_status::{SourceReport, SourceState};
use crate::media::{BitsPerSecond, RenditionId, Size, Track};
use crate::server;
use crate::studio::engine::Engine;
use crate::studio::event::{self, Event, TargetState};
use crate::studio::live::adaptation::{Changed, Resized};
use crate::studio::live::on_air::OnAir;
use crate::studio::live::on_air::layers::LayerNews;
use crate::studio::live::outputs::OutputNews;
use crate::studio::live::recording::free_space::DiskSpace;
use crate::studio::live::series::PaceNews;
use crate::studio::live::stream_delay;
use crate::studio::live::target_events::{audio_kind, video_kind};
use crate::studio::live::view::BroadcastTarget;
use crate::studio::mixer::loudness;
use crate::studio::notices::Remedy;
use crate::studio::notices::health::Health;
use crate::studio::notices::message::{StudioMessage, alarm_key};
use crate::studio::notices::row::Group;
use crate::studio::targets::{address, services};
use crate::text::Language;

/// Maximum number of reported causes of one outage.
const MAX_REPORTED_CAUSES: usize = 32;

impl Engine {
    /// Polls all parts.
    pub fn poll(&mut self) {
        let undecided = self.startup.is_undecided();
        // A driver that never responds must not prevent going on air.
        let overdue = undecided && self.clock.now() >= self.startup.decide_by;
        if self.machine.devices.poll() || overdue {
            self.decide();
        }
        self.poll_stream_keys();
        self.restart_edited(false);
        self.poll_network();
        self.poll_passthrough();
        self.poll_checks();
        self.retry_missing_files();
        self.poll_sources();
        self.poll_strips();
        self.poll_scenes();
        self.go_on();
        let built_in = &self.built_in;
        self.watch.talk(|| built_in.local(), &self.runtime);
        self.poll_players();
        self.poll_chat();
        self.poll_service_chats();
        if let Err(reason) = self.built_in.poll_certificate(Instant::now()) {
            self.notices.raise(&StudioMessage::CertificateKept { reason }, "");
        }
        for message in self.built_in.certificate_news() {
            self.notices.raise(&message, "");
        }
        for event in self.built_in.poll() {
            if let server::Event::Fault(struck) = &event {
                let fault = struck.fault.clone();
                self.notices.raise(&StudioMessage::FaultStruck { fault }, "");
            }
            self.notices.send_event(Event::Server(event));
        }
        self.follow_listeners();
        self.follow_guests();
        if let Some(on_air) = &mut self.live.on_air {
            let was_recording = on_air.is_recording();
            let looked = on_air.poll(self.clock.now());
            let has_failed = was_recording && !on_air.is_recording();
            self.all_happened(looked);
            self.live.has_recording_failed |= has_failed;
            self.end_recordings_beside();
            self.end_if_idle();
            self.summarize_if_over();
        }
        // The requests of browsers do not wait for this thread.
        let on_air = self.live.on_air.as_ref();
        self.built_in.set_keyframe_request(on_air.and_then(OnAir::keyframe_request));
        self.poll_programs();
        self.adapt();
        let ending = &self.endings.broadcasts;
        // A broadcast whose thread could not be started has nothing to wait for.
        let pending = self.live.stopping || !ending.is_empty();
        let over = pending && ending.iter().all(Worker::is_finished);
        while let Ok(event) = self.last_words.1.try_recv() {
            match event {
                Event::Recording(recording) => self.recording_happened(recording),
                // The target was switched on again before its earlier connection had ended.
                Event::Target(target) if self.is_replaced(&target) => {}
                // The last events of an ended broadcast are reported like all others.
                Event::Target(target) => self.target_happened(target),
                Event::Notice(notice) => self.notices.raise_notice(notice),
                Event::Totals(totals) => self.broadcast_counted(totals),
                event => self.saved(event),
            }
        }
        self.poll_repairs();
        if over {
            self.endings.broadcasts.clear();
            self.live.stopping = false;
            // A recording that was requested in the meantime begins now.
            let goes_on = !self.startup.postponed.is_empty() && !self.state.quitting;
            if self.live.on_air.is_none() && !goes_on {
                self.notices.send_event(Event::Stopped);
            }
            // A quality that was chosen in the meantime applies now.
            if self.live.on_air.is_none() && !self.state.quitting {
                self.apply_quality();
            }
        }
        self.keep_always();
        self.finish_save(Duration::ZERO, false);
        if self.file.is_due(self.clock.now()) {
            self.save();
        }
    }

    /// Returns true if a newer connection of the target has replaced the one that this last event is
    /// about.
    fn is_replaced(&self, last: &event::Target) -> bool {
        u32::try_from(last.index).is_ok_and(|id| self.live.sends_to(id))
    }

    /// Handles the news of the broadcast's outputs in order.
    pub fn all_happened(&mut self, happenings: Vec<OutputNews>) {
        for happening in happenings {
            match happening {
                OutputNews::Target(target) => self.target_happened(target),
                OutputNews::Flow { id, host, flow } => self.flow_happened(id, &host, flow),
                OutputNews::Recording(recording) => self.recording_happened(recording),
                OutputNews::Chapter(chapter) => self.saved(Event::Chapter(chapter)),
                OutputNews::Delay(changed) => self.delay_happened(changed),
                OutputNews::Encoder(reason) => {
                    self.notices.raise(&StudioMessage::EncoderFailed { reason }, "");
                }
                OutputNews::Message(message) => self.notices.raise(&message, ""),
                OutputNews::NoticeOver(key) => self.notices.take_back(key),
            }
        }
    }

    /// Reports that a live target's link went down or recovered.
    fn flow_happened(&mut self, id: u32, host: &str, flow: Flow) {
        match address::stalled(id, host, flow) {
            Some(message) => self.notices.raise(&message, ""),
            None => {
                self.notices.active.clear_target(&address::STALLED_NOTICES, id);
                for key in address::STALLED_NOTICES {
                    self.notices.is_over(key, host);
                }
            }
        }
    }

    /// Adapts the video to the links, and reports reductions and restorations.
    fn adapt(&mut self) {
        let now = self.clock.now();
        let Some(program) = &self.state.program else { return };
        let Some(on_air) = &mut self.live.on_air else { return };
        let before = on_air.second();
        let (outcome, failed) = on_air.adapt(now, program);
        let layers = on_air.follow_layers(now, program);
        let second = on_air.second().filter(|second| Some(*second) != before);
        if let Some(reason) = failed {
            self.notices.raise(&StudioMessage::RenditionFailed { reason }, "");
        }
        if let Some(second) = second {
            self.second_changed(second);
        }
        if let Some(layers) = layers {
            self.layers_changed(layers);
        }
        let Some(outcome) = outcome else { return };
        if let Some(changed) = outcome.changed {
            self.bitrate_changed(changed);
        }
        if let Some(resized) = outcome.resized {
            self.resized(resized);
        }
        for (id, rendition_id) in outcome.moved {
            self.moved(id, rendition_id, outcome.by_links);
        }
    }

    /// Reports how many sizes of the video are sent.
    fn layers_changed(&mut self, news: LayerNews) {
        self.notices.active.clear(&["layers-reduced", "layers-restored"]);
        let message = match news {
            LayerNews::Failed(reason) => StudioMessage::LayersFailed { reason },
            LayerNews::Sent { sent, wanted } if sent < wanted => {
                let (sent, wanted) = (sent.to_string(), wanted.to_string());
                StudioMessage::LayersReduced { sent, wanted }
            }
            LayerNews::Sent { wanted, .. } => {
                StudioMessage::LayersRestored { wanted: wanted.to_string() }
            }
        };
        self.notices.raise(&message, "");
    }

    fn bitrate_changed(&mut self, changed: Changed) {
        let was_lowered =
            self.notices.active.notices().iter().any(|it| it.key() == "bitrate-lowered");
        if !changed.full || changed.lower {
            let by = changed.by.and_then(|id| self.live.on_air.as_ref()?.label(id));
            let message = self.bitrate_lowered(by.unwrap_or_default(), changed.bitrate);
            if !changed.lower {
                return self.notices.active.correct(&message, "");
            }
            self.notices.active.clear(&["bitrate-lowered", "bitrate-restored"]);
            self.notices.raise(&message, "");
        } else if was_lowered {
            match changed.recovered {
                true => {
                    let kbps = changed.bitrate.as_kbps().to_string();
                    self.notices.raise(&StudioMessage::BitrateRestored { kbps }, "");
                }
                // The slow target has ended, or the main encode no longer follows its connection.
                false => self.notices.take_back("bitrate-lowered"),
            }
        }
    }

    /// Puts the bitrate that the user chose into the notice about a lower one.
    pub fn wanted_bitrate_changed(&mut self, allowed: BitsPerSecond) {
        let mut active = self.notices.active.notices().iter();
        let lowered = active.find(|it| it.key() == "bitrate-lowered");
        if let Some(host) = lowered.and_then(|it| it.value("host")) {
            let message = self.bitrate_lowered(host, allowed);
            self.notices.active.correct(&message, "");
        }
    }

    fn bitrate_lowered(&self, host: String, bitrate: BitsPerSecond) -> StudioMessage {
        let wanted = self.settings.quality.video_bitrate.as_kbps().to_string();
        StudioMessage::BitrateLowered { host, kbps: bitrate.as_kbps().to_string(), wanted }
    }

    fn resized(&mut self, resized: Resized) {
        self.notices.active.clear(&["size-lowered", "size-restored"]);
        let size = resized.size.to_string();
        let message = if resized.full {
            StudioMessage::SizeRestored { size }
        } else {
            let kbps = self.live.on_air.as_ref().map_or(0, |on_air| on_air.allowed().as_kbps());
            let wanted = self.state.quality.size.to_string();
            StudioMessage::SizeLowered { size, wanted, kbps: kbps.to_string() }
        };
        self.notices.raise(&message, "");
    }

    /// Reports that a target gets another rendition. `by_link` is true if the speed of its link is
    /// the reason.
    fn moved(&mut self, id: u32, rendition_id: RenditionId, by_link: bool) {
        let Some(on_air) = &self.live.on_air else { return };
        let Some(host) = on_air.label(id) else { return };
        let second = on_air.second();
        self.notices.active.clear_at("rendition-lowered", &host);
        self.notices.active.clear_at("rendition-restored", &host);
        let message = match (rendition_id, second) {
            (RenditionId::Second, Some(second)) => rendition_lowered(host, second),
            _ if by_link => StudioMessage::RenditionRestored { host },
            // The main encode now follows the links itself, or no longer at all.
            _ => return self.notices.is_over("rendition-lowered", &host),
        };
        self.notices.raise(&message, "");
    }

    /// Puts another bitrate and size of the second encode into the notices about it.
    fn second_changed(&mut self, second: (BitsPerSecond, Size)) {
        let active = self.notices.active.notices().iter();
        let lowered = active.filter(|it| it.key() == "rendition-lowered");
        let hosts: Vec<String> = lowered.filter_map(|it| it.value("host")).collect();
        for host in hosts {
            self.notices.active.correct(&rendition_lowered(host.clone(), second), &host);
        }
    }

    fn delay_happened(&mut self, changed: stream_delay::Changed) {
        if let Some(note) = changed.note {
            self.notices.note(&note);
        }
        if let Some(message) = changed.message {
            self.notices.active.clear(&["delay-short"]);
            self.notices.raise(&message, "");
        }
        self.notices.send_event(Event::Delay(changed.event));
    }

    pub fn target_happened(&mut self, event: event::Target) {
        let id = u32::try_from(event.index).unwrap_or(u32::MAX);
        if let Some(message) = crate::studio::live::target_events::message(&event) {
            let causes = self.targets.reported_causes.entry(id).or_default();
            if causes.len() >= MAX_REPORTED_CAUSES {
                causes.clear();
            }
            let new = causes
                .insert((message.problem().id(), event.cause.as_ref().map(ToString::to_string)));
            if !new && event.state != TargetState::Failed {
                self.notices.note(&message);
                self.notices.active.renew(&message);
            } else {
                let mut notice = message.notice(0, event.code.clone().unwrap_or_default());
                if self.has_other_port(&event) {
                    notice.remedies.insert(0, Remedy::UsePort443(id));
                }
                self.notices.raise_notice(notice);
            }
        }
        if event.state == TargetState::Live {
            self.targets.reported_causes.remove(&id);
            let targets = &mut self.live.summary.targets;
            let target =
                BroadcastTarget { id: Some(id), label: event.host.clone(), was_live: true };
            // The summary may already list the target as not reached.
            match targets.iter_mut().find(|known| known.id == target.id) {
                Some(known) if known.was_live => {}
                Some(known) => *known = target,
                None => targets.push(target),
            }
            self.notices.active.clear_target(Group::Target.keys(), id);
            match self.live.series.live_again(&event, self.clock.now()) {
                Some(message) => self.notices.raise(&message, ""),
                None => {
                    let is_built_in =
                        self.targets.list.iter().any(|it| it.id == id && it.is_built_in());
                    let server = if is_built_in { "built-in" } else { "other" }.to_owned();
                    let host = event.host.clone();
                    self.notices.note(&StudioMessage::TargetOnAir { host, server });
                }
            }
        } else {
            self.live.series.lost(&event, self.clock.now());
        }
        if event.state == TargetState::Stopped {
            self.notices.active.clear_attempts(id);
        }
        if matches!(event.state, TargetState::Failed | TargetState::Stopped) {
            self.end_rendition_notice(id, &event.host);
        }
        self.target_reported(event);
    }

    /// Returns true if a target's port is unreachable, and its service has another port that
    /// networks rarely block.
    fn has_other_port(&self, event: &event::Target) -> bool {
        let target = self.targets.list.iter().find(|it| it.id as usize == event.index);
        event.stage == Some("tcp")
            && target.is_some_and(|target| services::on_port_443(target.server()).is_some())
    }

    /// Withdraws the notices about full disks when the disks have space again.
    fn poll_space(&mut self) {
        let recording = self.live.on_air.as_ref().and_then(OnAir::recording);
        let recording = recording.map(|it| it.recorder.figures().path);
        let (notices, on_air) = (self.notices.active.notices(), self.live.is_publishing());
        let (now, quality) = (self.clock.now(), &self.state.quality);
        let over = self.live.space.poll(now, notices, recording.as_deref(), on_air, quality);
        self.notices.active.end(&over);
    }

    /// Reads the free space for recordings, while the window that displays it is visible.
    fn poll_free_space(&mut self) {
        if self.state.hidden {
            return;
        }
        let recording = self.live.on_air.as_ref().and_then(OnAir::recording);
        let recording = recording.map(|it| it.recorder.figures()).map(|it| (it.path, it.bytes));
        let folder = &self.settings.preferences.recording_folder;
        let rate = self.settings.quality.bitrate();
        self.live.free_space.poll(self.clock.now(), folder, recording, rate);
        // The warning shows what is left now.
        if let Some(DiskSpace { free, left, .. }) = self.live.free_space.space() {
            let message = StudioMessage::of_disk(Warning::Space { left, free });
            self.notices.active.correct(&message, "");
        }
    }

    pub fn poll_sources(&mut self) {
        let Some(program) = &mut self.state.program else { return };
        let video = program.video_change();
        let video = video.map(|it| (it, Track::Video, video_kind(program.video_choice())));
        let audio = program.audio_change();
        let audio = audio.map(|it| (it, Track::Audio, audio_kind(program.audio_choice())));
        for ((report, before), track, (kind, device)) in video.into_iter().chain(audio) {
            self.tell_of(&report, &before, device.then_some(track == Track::Video));
            let back = is_back(&report, &before);
            self.notices.send_event(Event::Source(event::Source { track, kind, back, report }));
        }
    }

    /// Reports the state of a source. `camera` is true for a camera, false for a microphone, and
    /// `None` for other sources.
    pub fn tell_of(&mut self, report: &SourceReport, before: &SourceReport, camera: Option<bool>) {
        // The failure to start already has its notice.
        if report == before {
            return;
        }
        let message = match camera {
            Some(camera) => device_message(report, before, camera),
            None => source_message(report, before),
        };
        let device = device_name(report);
        if before.name != report.name {
            // The problems were reported under the source's earlier name.
            self.source_closed(before, Group::AudioDown.keys());
            self.tell_alarm(report, &SourceReport::default(), device);
        } else {
            self.tell_alarm(report, before, device);
        }
        // Only the default device can change to another device while it is open.
        let both_open = (report.state, before.state) == (SourceState::Open, SourceState::Open);
        if both_open && !before.id.is_empty() && report.id != before.id && camera != Some(true) {
            let device = device.to_owned();
            self.notices.raise(&StudioMessage::DefaultChanged { device }, "");
        }
        if is_back(report, before) {
            self.take_back(report, before);
        }
        self.notices.raise_some(message.map(|message| (message, report.detail.clone())));
    }

    /// Withdraws the notices about a source that delivers again.
    pub fn take_back(&mut self, report: &SourceReport, before: &SourceReport) {
        // The name may not have been known when the source failed.
        for name in [&before.name, &report.name] {
            self.notices.active.clear_of(Group::SourceDown.keys(), name);
        }
    }

    /// Reports that a source's alarm was raised or withdrawn.
    pub fn tell_alarm(&mut self, report: &SourceReport, before: &SourceReport, name: &str) {
        if report.alarm == before.alarm {
            return;
        }
        if let Some(alarm) = before.alarm {
            self.notices.active.clear_of(&[alarm_key(alarm)], name);
            self.notices.is_over(alarm_key(alarm), name);
        }
        if let Some(alarm) = report.alarm {
            self.notices.raise(&StudioMessage::Alarm { alarm, device: name.to_owned() }, "");
        }
    }

    /// Reports the health sentence if it changed.
    fn tell_health(&mut self) {
        let health = Health::of(&self.snapshot(false));
        if self.state.health.as_ref().is_some_and(|known| known.is_same_kind(&health)) {
            return;
        }
        let (sentence, detail) = health.words(Language::English);
        tracing::info!(activity = health.activity.name(), detail, "{sentence}");
        if self.live.on_air.is_some() {
            self.notices.send_event(Event::Health(Box::new(health.clone())));
        }
        self.state.health = Some(health);
    }

    /// Reports the figures, once per second.
    pub fn second(&mut self) {
        let now = self.clock.now();
        self.state.next_second =
            self.state.next_second.max(now - Duration::from_secs(1)) + Duration::from_secs(1);
        if let Some(process) = &mut self.machine.process {
            self.machine.usage = process.read();
        }
        self.notices.active.fold_old();
        if let Some(message) = self.notices.log.take_error() {
            self.notices.raise(&message, "");
        }
        self.note_on_air();
        self.poll_virtual_camera();
        self.poll_space();
        self.poll_free_space();
        self.tell_health();
        self.poll_viewer_monitor();
        if let Some(viewers) = self.viewers_of_broadcast() {
            self.live.note_viewers(viewers);
        }
        if let Some(program) = &self.state.program {
            loudness::note(&mut self.state.loudness_history, &program.mixer().meter());
        }
        self.count_guest_traffic(now);
        let strips = self.strip_stats();
        let canvas = self.second_stats(now);
        let Some(on_air) = &mut self.live.on_air else { return };
        let mut stats = on_air.stats(self.state.program.as_ref(), self.machine.usage, now);
        (stats.strips, stats.canvas) = (strips, canvas);
        stats.guests = self.built_in.desk.traffic;
        self.add_monitors(&mut stats);
        self.live.series.second(&stats);
        let pace = self.live.series.pace();
        stats.add_earlier(&self.live.earlier);
        self.notices.send_event(Event::Stats(Box::new(stats)));
        if let Some(pace) = pace {
            self.tell_pace(&pace);
        }
    }

    /// Returns the number of viewers of the built-in server, if the broadcast reaches this server.
    fn viewers_of_broadcast(&self) -> Option<usize> {
        let mut targets = self.targets.list.iter();
        let is_live = targets.any(|target| target.is_built_in() && self.is_live(target.id));
        is_live.then(|| self.built_in.viewers())
    }

    /// Reports that the computer no longer keeps up, and withdraws this when it keeps up again.
    fn tell_pace(&mut self, pace: &PaceNews) {
        match pace {
            PaceNews::Slow(message) => {
                self.notices.raise(message, "");
                self.guests_too_much();
            }
            PaceNews::Changed(message) => self.notices.active.correct(message, ""),
            PaceNews::Over => {
                self.notices.take_back("encoder-slow");
                self.guests_recovered();
            }
        }
    }
}

fn rendition_lowered(host: String, (bitrate, size): (BitsPerSecond, Size)) -> StudioMessage {
    let (size, kbps) = (size.to_string(), bitrate.as_kbps().to_string());
    StudioMessage::RenditionLowered { host, size, kbps }
}

/// Returns the name of a source in notices.
pub fn device_name(report: &SourceReport) -> &str {
    if report.name.is_empty() { &report.id } else { &report.name }
}

/// Returns the message for a change of a device's state.
fn device_message(
    report: &SourceReport,
    before: &SourceReport,
    camera: bool,
) -> Option<StudioMessage> {
    let device = device_name(report).to_owned();
    let reason = report.reason.clone();
    match (report.state, camera) {
        (SourceState::Stalled, true) => Some(StudioMessage::CameraStalled { device }),
        (SourceState::Stalled, false) => Some(StudioMessage::MicrophoneStalled { device }),
        (SourceState::Lost, true) => Some(StudioMessage::CameraLost { device }),
        (SourceState::Lost, false) => Some(StudioMessage::MicrophoneLost { device }),
        (SourceState::Failed, true) => Some(StudioMessage::CameraFailed { device, reason }),
        (SourceState::Failed, false) => Some(StudioMessage::MicrophoneFailed { device, reason }),
        (SourceState::Open, _) if is_back(report, before) => Some(if camera {
            StudioMessage::CameraBack { device }
        } else {
            StudioMessage::MicrophoneBack { device }
        }),
        _ => None,
    }
}

/// Returns the message for a change of a source that is not a device.
fn source_message(report: &SourceReport, before: &SourceReport) -> Option<StudioMessage> {
    let device = device_name(report).to_owned();
    let reason = report.reason.clone();
    match report.state {
        SourceState::Stalled | SourceState::Lost | SourceState::Failed => {
            Some(StudioMessage::SourceTrouble { device, reason })
        }
        SourceState::Open if is_back(report, before) => Some(StudioMessage::SourceBack { device }),
        SourceState::Open | SourceState::Opening => None,
    }
}

pub fn is_back(report: &SourceReport, before: &SourceReport) -> bool {
    report.state == SourceState::Open && before.state.is_down()
}

#[cfg(test)]
mod tests;
