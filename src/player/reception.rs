//! What has been received of a stream, and what the presenter makes of it.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::Track;
use crate::player::aim::Aim;
use crate::player::jitter::Jitter;
use crate::player::pull::Pace;
use crate::player::schedule::Supply;

/// What has been received.
#[derive(Debug)]
pub(super) struct Reception {
    live: bool,
    pub(super) jitter: Jitter,
    first: Option<Timestamp>,
    edge: Option<Timestamp>,
    last: [Option<Timestamp>; 2],
    pub(super) ended: bool,
    /// Of what is followed at a distance.
    aim: Option<Aim>,
}

impl Reception {
    /// Of nothing yet.
    pub(super) fn new(live: bool, jitter: Jitter) -> Self {
        Self { live, jitter, first: None, edge: None, last: [None, None], ended: false, aim: None }
    }

    /// Of a stream that comes as it happens.
    #[cfg(test)]
    pub(super) fn of_live(buffer: Duration) -> Self {
        Self::new(true, Jitter::new(buffer))
    }

    /// A packet of `track` to be decoded at `dts` came at `now`.
    pub(super) fn arrived(&mut self, track: Track, dts: Timestamp, now: Timestamp) {
        if self.live {
            self.jitter.arrived(track, dts, now);
        }
        let [video, audio] = &mut self.last;
        let last = match track {
            Track::Video => video,
            Track::Audio | Track::Extra(_) => audio,
        };
        // A packet lasts about as long as the one before it did.
        let lasts = last.map_or(20_000, |last| dts.micros_since(last)).clamp(10_000, 100_000);
        *last = Some(dts);
        let end = dts.offset(lasts);
        self.edge = Some(self.edge.map_or(end, |edge| edge.max(end)));
        self.first = Some(self.first.map_or(dts, |first| first.min(dts)));
    }

    /// How what comes is to be played.
    pub(super) fn set_pace(&mut self, pace: Pace) {
        self.live = pace == Pace::Live;
        match (pace, &mut self.aim) {
            // The same again, after a new connection.
            (Pace::Followed(distance), Some(aim)) if aim.distance() == distance => {}
            (Pace::Followed(distance), Some(aim)) => aim.change(distance),
            (Pace::Followed(distance), None) => self.aim = Some(Aim::new(distance)),
            (Pace::Live | Pace::Recorded, _) => self.aim = None,
        }
    }

    /// At `seen` the end of what there is was at `media`.
    pub(super) fn see_edge(&mut self, seen: Timestamp, media: Timestamp) {
        if let Some(aim) = &mut self.aim {
            aim.see(seen, media);
        }
    }

    /// Playing begins, or goes on: `media` is seen and heard at `now`.
    pub(super) fn begun(&mut self, now: Timestamp, media: Timestamp) {
        if let Some(aim) = &mut self.aim {
            aim.begin(now, media);
        }
    }

    /// Everything received has been shown.
    pub(super) fn broke(&mut self, now: Timestamp) {
        self.jitter.broke(now);
        if let Some(aim) = &mut self.aim {
            aim.lose();
        }
    }

    /// Everything that waited was thrown away; what comes goes on at `at`.
    pub(super) fn move_to(&mut self, at: Timestamp) {
        (self.first, self.edge) = (Some(at), Some(at));
        self.last = [None, None];
        self.jitter.forget();
    }

    /// The stream goes on after its end: its publisher is back.
    pub(super) fn resume(&mut self) {
        if std::mem::replace(&mut self.ended, false) {
            self.jitter.forget();
            if let Some(aim) = &mut self.aim {
                aim.forget();
            }
        }
    }

    /// How unevenly it comes. What is fetched in pieces comes as it is asked for.
    pub(super) fn jitter(&self) -> Option<Duration> {
        self.jitter.measured().filter(|_| self.live)
    }

    /// The presenter's view of it.
    pub(super) fn supply(&mut self, now: Timestamp) -> Supply {
        let target = match &mut self.aim {
            Some(aim) => aim.target(now),
            None if self.live => self.jitter.target(now),
            None => None,
        };
        Supply {
            first: self.first,
            edge: self.edge,
            target,
            settling: self.live && self.jitter.settling(now),
            ended: self.ended,
        }
    }
}
