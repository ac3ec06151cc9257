//! The fallback of a strip while its source is silent or lost. It is opened when needed, and closed
//! when the source has audio again. While a failed fallback is needed, it is retried at increasing
//! intervals.

use crate::audio::{self, AudioChoice, AudioFallback};
use crate::base::{Backoff, Timestamp};
use crate::media::source_status::SourceReport;
use crate::studio::notices::message::StudioMessage;
use crate::studio::sources::{self, Chosen};
use crate::text::Problem;

/// Opens audio, or returns the reason why that failed.
pub type Open<'a> = dyn FnMut(&AudioChoice) -> Result<audio::Source, Problem> + 'a;

/// The time at which a failed fallback is retried.
#[derive(Debug)]
struct RetryTime {
    backoff: Backoff,
    since: Timestamp,
    next: Timestamp,
}

impl RetryTime {
    fn after(now: Timestamp) -> Self {
        // The seed can be constant, because this retry sends no requests to servers: the audio
        // thread does that.
        let mut it = Self { backoff: Backoff::new(0), since: now, next: now };
        it.wait(now);
        it
    }

    fn wait(&mut self, now: Timestamp) {
        self.next = now + self.backoff.next_wait(now.since(self.since));
    }
}

/// The fallback of one strip.
#[derive(Debug, Default)]
pub struct StripFallback {
    wanted: Option<AudioChoice>,
    /// The path of the fallback's audio to the open source of the strip.
    way: AudioFallback,
    open: Option<Chosen<AudioChoice>>,
    /// The retry time of a failed fallback.
    again: Option<RetryTime>,
    /// True if the strip has an open source that can use the fallback.
    stands: bool,
    /// The last reports of fallbacks that were closed.
    closed: Vec<SourceReport>,
}

impl StripFallback {
    /// Sets the fallback; `None` means silence.
    pub fn set(&mut self, wanted: Option<&AudioChoice>) {
        if self.wanted.as_ref() != wanted {
            self.close();
            self.wanted = wanted.cloned();
        }
        self.way.set_wanted(wanted.is_some());
    }

    /// Attaches the fallback to a source that was opened on the strip, with this sample rate.
    pub fn over(
        &mut self,
        choice: &AudioChoice,
        source: audio::Source,
        rate: u32,
    ) -> audio::Source {
        self.close();
        self.stands = true;
        self.way = AudioFallback::default();
        self.way.set_wanted(self.wanted.is_some());
        self.way.over(source, rate, audio::silence_of(choice))
    }

    /// Reports that no source is open on the strip, so there is nothing to replace.
    pub fn bare(&mut self) {
        self.close();
        self.stands = false;
    }

    /// Checks the strip's source. Returns a message if the fallback cannot be opened.
    pub fn poll(
        &mut self,
        report: &SourceReport,
        now: Timestamp,
        open: &mut Open<'_>,
    ) -> Option<(AudioChoice, StudioMessage)> {
        if !self.stands || !audio::is_out(report) {
            self.close();
            return None;
        }
        if self.again.as_ref().is_some_and(|again| now >= again.next) {
            return self.retry(now, false, open);
        }
        let choice = self.wanted.clone().filter(|_| self.open.is_none())?;
        let opened = open(&choice).map(|source| Some((source.feed, source.status)));
        let (feed, chosen, message) = sources::settle(choice.clone(), opened);
        self.way.give(feed);
        self.again = chosen.failed().then(|| RetryTime::after(now));
        self.open = Some(chosen);
        message.map(|message| (choice, message))
    }

    /// Retries a failed fallback. Returns a message if the reason changed, or if the user `asked`.
    pub fn retry(
        &mut self,
        now: Timestamp,
        asked: bool,
        open: &mut Open<'_>,
    ) -> Option<(AudioChoice, StudioMessage)> {
        let again = self.again.as_mut()?;
        let chosen = self.open.as_mut()?;
        let last_report = chosen.last_report.clone();
        let opened = open(&chosen.choice).map(|source| (source.feed, source.status));
        let (feed, message) = sources::retry(chosen, opened, asked);
        if feed.is_some() {
            self.way.give(feed);
            self.again = None;
        } else {
            again.wait(now);
        }
        let message = message?;
        // The reason may differ from the earlier one. A retry that the user requested withdraws the
        // old message first; reporting it here would withdraw the new message with it.
        if !asked {
            self.closed.push(last_report);
        }
        Some((chosen.choice.clone(), message))
    }

    fn close(&mut self) {
        self.again = None;
        if let Some(open) = self.open.take() {
            self.way.give(None);
            self.closed.push(open.last_report);
        }
    }

    /// Returns the change of the fallback since the last call: its choice, its state and its
    /// previous state.
    pub fn change(&mut self) -> Option<(AudioChoice, SourceReport, SourceReport)> {
        let open = self.open.as_mut()?;
        let (report, before) = open.change()?;
        Some((open.choice.clone(), report, before))
    }

    /// Returns the last report of the fallback, if it is open.
    pub fn last_report(&self) -> Option<&SourceReport> {
        self.open.as_ref().map(|open| &open.last_report)
    }

    /// Returns the last reports of fallbacks that are now closed.
    pub fn closed(&mut self) -> Vec<SourceReport> {
        std::mem::take(&mut self.closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::source_status::{SourceAlarm, SourceFormat, SourceState, SourceStatus};
    use crate::media::{AudioFeed, Pulled, Transport};
    use std::sync::Arc;

    struct Nothing;

    impl AudioFeed for Nothing {
        fn pull(&mut self, _: crate::base::Timestamp, _: &mut [f32]) -> Pulled {
            Pulled::Audio
        }

        fn delay(&self) -> std::time::Duration {
            std::time::Duration::ZERO
        }
    }

    #[test]
    fn another_is_opened_once_it_is_needed_and_closed_with_the_first_audio() {
        let mut fallback = StripFallback::default();
        let other: AudioChoice = "mic:second".parse().unwrap();
        let mut opened = Vec::new();
        let status = SourceStatus::new("second", "The second");
        status.open(SourceFormat::Unknown);
        let now = Timestamp::ZERO;
        let mut look = |fallback: &mut StripFallback, alarm| {
            let report =
                SourceReport { state: SourceState::Open, alarm, ..SourceReport::default() };
            let mut open = |choice: &AudioChoice| {
                opened.push(choice.to_string());
                let (feed, status) = (Box::new(Nothing), Arc::clone(&status));
                Ok(audio::Source { feed, status, transport: Transport::default() })
            };
            assert!(fallback.poll(&report, now, &mut open).is_none());
            opened.len()
        };
        assert_eq!(
            look(&mut fallback, Some(SourceAlarm::Zero)),
            0,
            "nothing is to be heard instead"
        );
        fallback.set(Some(&other));
        assert_eq!(look(&mut fallback, Some(SourceAlarm::Zero)), 0, "nothing is open on the strip");
        let (feed, its) = (Box::new(Nothing), SourceStatus::new("first", "The first"));
        let first = audio::Source { feed, status: its, transport: Transport::default() };
        fallback.over(&"mic:first".parse().unwrap(), first, 48_000);
        assert_eq!(look(&mut fallback, Some(SourceAlarm::Clipped)), 0);
        assert_eq!(look(&mut fallback, Some(SourceAlarm::Zero)), 1);
        assert_eq!(look(&mut fallback, Some(SourceAlarm::Silent)), 1, "it is open");
        assert_eq!(fallback.change().unwrap().1.name, "The second");
        assert!(fallback.closed().is_empty());
        assert_eq!(look(&mut fallback, None), 1);
        assert_eq!(fallback.closed().len(), 1);
        assert_eq!(look(&mut fallback, Some(SourceAlarm::Zero)), 2);
        fallback.set(None);
        assert_eq!((fallback.closed().len(), look(&mut fallback, Some(SourceAlarm::Zero))), (1, 2));
        assert!(fallback.again.is_none());
    }

    #[test]
    fn a_fallback_that_cannot_be_opened_is_retried_while_needed_and_each_reason_is_reported_once() {
        let mut fallback = StripFallback::default();
        let other: AudioChoice = "file:/other.wav".parse().unwrap();
        fallback.set(Some(&other));
        let (feed, its) = (Box::new(Nothing), SourceStatus::new("first", "The first"));
        let first = audio::Source { feed, status: its, transport: Transport::default() };
        fallback.over(&"mic:first".parse().unwrap(), first, 48_000);
        let lost = SourceReport { state: SourceState::Lost, ..SourceReport::default() };
        let mut tries = 0;
        let mut message_count = 0;
        // Ten minutes, polled ten times per second.
        for tick in 0..6_000 {
            let mut refuse = |_: &AudioChoice| {
                tries += 1;
                Err(if tries < 3 { "not there" } else { "no sound" }.into())
            };
            let now = Timestamp::from_millis(tick * 100);
            message_count += usize::from(fallback.poll(&lost, now, &mut refuse).is_some());
        }
        assert_eq!(message_count, 2, "once for each reason");
        assert_eq!(fallback.closed().len(), 1, "the first reason is taken back");
        // Every 2 s at first, and every 15 s at the end.
        assert!((60..120).contains(&tries), "{tries}");

        // A retry by the user does not wait for the next attempt, and gets a reply.
        let now = Timestamp::from_millis(600_000);
        let mut refuse = |_: &AudioChoice| Err("no sound".into());
        assert!(fallback.retry(now, true, &mut refuse).is_some());
        assert!(fallback.closed().is_empty(), "the answer stands");
        let mut open = |_: &AudioChoice| {
            let status = SourceStatus::new("other", "The other");
            status.open(SourceFormat::Unknown);
            Ok(audio::Source { feed: Box::new(Nothing), status, transport: Transport::default() })
        };
        assert!(fallback.poll(&lost, now, &mut open).is_none());
        assert_eq!(fallback.change().unwrap().1.state, SourceState::Failed);
        assert!(fallback.change().is_none(), "not yet due");
        let later = Timestamp::from_millis(620_000);
        assert!(fallback.poll(&lost, later, &mut open).is_none());
        let (_, report, before) = fallback.change().unwrap();
        assert_eq!(
            (report.state, before.state),
            (SourceState::Open, SourceState::Failed),
            "so it is told"
        );
        assert!(fallback.retry(later, true, &mut refuse).is_none(), "it is open");

        // There are no retries while the main source is audible.
        let well = SourceReport { state: SourceState::Open, ..SourceReport::default() };
        let mut never = |_: &AudioChoice| panic!("not needed");
        assert!(fallback.poll(&well, later, &mut never).is_none());
        let much_later = Timestamp::from_millis(900_000);
        assert!(fallback.poll(&well, much_later, &mut never).is_none());
        fallback.bare();
        assert!(fallback.poll(&lost, much_later, &mut never).is_none());
    }
}
