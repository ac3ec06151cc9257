//! Selects the targets that the viewer monitor checks, and handles its reports.

use std::time::Duration;

use crate::base::Secret;
use crate::broadcast::publisher::State;
use crate::studio::engine::Engine;
use crate::studio::event::stats::Stats;
use crate::studio::event::{Event, stats};
use crate::studio::live::monitor::{MonitorNews, Reference, WantedMonitor};
use crate::studio::live::outputs::target::TargetOutput;
use crate::studio::notices::row::Group;
use crate::studio::targets::{Target, address};

impl Engine {
    /// Checks the viewers' streams, once per second.
    pub fn poll_viewer_monitor(&mut self) {
        let wanted = self.wanted_monitors();
        if wanted.is_empty() && self.state.monitors.is_empty() {
            return;
        }
        let (on_air, clock) = (self.live.on_air.as_ref(), self.clock);
        let begin = || {
            let hub = on_air?.hub();
            Reference::start(hub, clock)
                .inspect_err(|error| tracing::warn!(%error, "starting the viewer monitor failed"))
                .ok()
        };
        let ended = self.state.monitors.follow(wanted, begin, &self.runtime, clock);
        self.endings.monitors.retain(|worker| !worker.is_finished());
        self.endings.monitors.extend(ended);
        for news in self.state.monitors.poll(clock.now()) {
            self.viewers_reported(news);
        }
    }

    fn viewers_reported(&mut self, news: MonitorNews) {
        match news {
            MonitorNews::Event(event) => self.notices.send_event(Event::Monitor(Box::new(event))),
            MonitorNews::Begun(message) => self.notices.raise(&message, ""),
            MonitorNews::Over { key, host } => {
                self.notices.active.clear_at(key, &host);
                self.notices.is_over(key, &host);
            }
            MonitorNews::Well(message) => self.notices.note(&message),
        }
    }

    /// Returns the targets to monitor: those that are on air or reconnecting.
    fn wanted_monitors(&self) -> Vec<WantedMonitor> {
        let Some(on_air) = &self.live.on_air else { return Vec::new() };
        if on_air.passthrough().is_some() {
            // A passthrough file is not decoded here, so there is nothing to compare with.
            return Vec::new();
        }
        let delay = on_air.held().map_or(Duration::ZERO, |held| held.delay);
        let targets = on_air.targets().filter(|it| !it.is_over());
        targets
            .filter_map(|TargetOutput { id, built_in, publisher, label, mix, .. }| {
                let (id, built_in) = (*id, *built_in);
                let target = self.targets.list.iter().find(|target| target.id == id)?;
                if !self.is_monitored(target) {
                    return None;
                }
                let publish = publisher.target();
                // An address that has not been loaded yet counts as empty.
                let play_url = match address::kept_name(target.play_url.expose()) {
                    Some(_) => Secret::default(),
                    None => target.play_url.clone(),
                };
                // Other servers can be behind a proxy, but not the built-in one.
                let is_elsewhere = built_in && !play_url.is_empty();
                let options = if is_elsewhere { &self.config.options } else { &publish.options };
                Some(WantedMonitor {
                    id,
                    url: match built_in {
                        true => publish.url.shown_with_name(),
                        false => publish.url.to_string(),
                    },
                    host: match built_in {
                        true => publish.url.host_and_port(),
                        false => label.clone(),
                    },
                    play_url,
                    publish: publish.url.clone(),
                    net: options.net.clone(),
                    live: publisher.state() == State::Live,
                    delay,
                    has_own_sound: mix.is_some(),
                    dropped_frames: publisher.figures().dropped_frames,
                })
            })
            .collect()
    }

    /// Returns true if the viewers' stream of a target is monitored.
    pub fn is_monitored(&self, target: &Target) -> bool {
        target.monitor.unwrap_or(self.config.monitor_own && target.is_built_in())
    }

    /// Stops the monitors at the end of the broadcast, and withdraws their notices.
    pub fn end_monitors(&mut self) {
        let ended = self.state.monitors.end();
        self.endings.monitors.extend(ended);
        self.notices.active.clear(Group::Monitor.keys());
    }

    /// Adds the results of the monitors to the statistics.
    pub fn add_monitors(&self, stats: &mut Stats) {
        let Some(on_air) = &self.live.on_air else { return };
        for (sent, target) in on_air.targets().zip(&mut stats.targets) {
            target.monitor = self.state.monitors.view(sent.id).map(|view| stats::Monitor {
                state: view.state,
                latency_ms: view.latency.map(|latency| latency.as_secs_f64() * 1e3),
                av_offset_ms: view.av_offset_ms,
                fps: view.fps,
                bitrate: view.bitrate,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::audio::AudioChoice;
    use crate::base::{Clock, Latest};
    use crate::capture::VideoChoice;
    use crate::media::{BitsPerSecond, Size};
    use crate::net::{self, Runtime};
    use crate::player::probe::reading::ProbeMemory;
    use crate::player::probe::viewer::{ProbeTarget, ViewerProbe};
    use crate::studio::command::Command;
    use crate::studio::engine::config::Config;
    use crate::studio::engine::handle::Studio;
    use crate::studio::settings::Settings;
    use crate::studio::snapshot::Snapshot;
    use crate::studio::targets::quality::Quality;

    const LIMIT: Duration = Duration::from_secs(60);

    fn until(studio: &Studio, what: &str, mut shows: impl FnMut(&Snapshot) -> bool) {
        let since = Instant::now();
        while !shows(&studio.snapshot()) {
            assert!(since.elapsed() < LIMIT, "{what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Checks every snapshot of a real broadcast, because the server counts a viewer before the
    /// monitor has received anything.
    #[test]
    fn the_monitor_is_never_a_viewer_and_a_real_viewer_is_one() {
        let quality = Quality {
            size: Size::new(320, 180),
            video_bitrate: BitsPerSecond(300_000),
            ..Quality::default()
        };
        let settings = Settings {
            video: Some(VideoChoice::Test),
            audio: Some(AudioChoice::Tone),
            quality,
            ..Settings::default()
        };
        let config =
            Config { keyring: false, monitor_own: true, ..Config::new(Clock::start(), settings) };
        let studio = Studio::start(config).unwrap();
        studio.send(Command::GoLive);
        let mut playing = None;
        until(&studio, "the monitor", |snapshot| {
            let monitor = snapshot.targets.first().and_then(|it| it.monitor.as_ref());
            assert_eq!(snapshot.server.viewers, 0, "{monitor:?}");
            if monitor.is_some_and(|it| it.state != "waiting") {
                playing.get_or_insert_with(Instant::now);
            }
            playing.is_some_and(|since: Instant| since.elapsed() > Duration::from_millis(1_500))
        });
        let runtime = Runtime::start().unwrap();
        let place = ProbeTarget::Address(Secret::new(studio.snapshot().server.play_url));
        let memory = ProbeMemory { keyframes: 1, loudness: 1 };
        let (net, clock) = (net::Options::default(), Clock::start());
        let viewer =
            ViewerProbe::open(&place, &net, &runtime, clock, memory, Latest::default()).unwrap();
        until(&studio, "a real viewer", |snapshot| snapshot.server.viewers == 1);
        // The peak is noted once per second.
        std::thread::sleep(Duration::from_millis(2_500));
        studio.send(Command::StopLive);
        let mut peak = None;
        until(&studio, "the summary", |snapshot| {
            peak = snapshot.last_broadcast.as_ref().map(|it| it.peak_viewers);
            peak.is_some()
        });
        assert_eq!(peak, Some(1));
        drop(viewer);
        studio.end(LIMIT).unwrap();
    }
}
