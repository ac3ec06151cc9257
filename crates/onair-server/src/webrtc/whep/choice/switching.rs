//! Changes the video of a viewer if the viewer chooses another one, if the link requires it, or if the server no
//! longer encodes the current one. The change takes place at the next keyframe.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::server::registry::Registry;
use crate::server::renditions::refusal::Refusal;
use crate::server::webrtc::mailbox::{ChosenRendition, Mailbox};
use crate::server::webrtc::whep::choice::link::LinkChoice;
use crate::server::webrtc::whep::choice::selection::{Refused, Variant, Variants};
use crate::server::webrtc::whep::tracks::VideoFormat;
use crate::server::webrtc::whep::viewer_tracks::{NextVariant, VideoTrack};
use crate::text::problem::{Problem, problem};

/// Interval between checks of the link.
const LINK_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The state that decides which video a viewer gets.
#[derive(Debug)]
pub(in crate::webrtc) struct Switching {
    pub variants: Variants,
    /// True if the viewer has chosen the variant.
    is_pinned: bool,
    link: LinkChoice,
    /// The newest estimate of the link in bits per second.
    pub estimate: Option<u64>,
    /// True if frames were dropped since the last check.
    pub is_crowded: bool,
    last_check: Option<Instant>,
    /// The highest bitrate of the stream so far, if there is no choice.
    highest_bitrate: u64,
}

impl Switching {
    pub fn new(variants: Variants, is_pinned: bool) -> Self {
        Self {
            variants,
            is_pinned,
            link: LinkChoice::default(),
            estimate: None,
            is_crowded: false,
            last_check: None,
            highest_bitrate: 0,
        }
    }

    /// Changes to the variant that the viewer has chosen. `mailbox` is `None` until the viewer gets frames.
    pub fn take_choice(
        &mut self,
        registry: &Arc<Registry>,
        video: &mut VideoTrack,
        chosen: ChosenRendition,
        mailbox: Option<&Arc<Mailbox>>,
    ) {
        let done = match &chosen.rendition {
            None => Ok(()),
            Some(name) => match (self.variants.named(registry, name), mailbox) {
                (Some(variant), Some(mailbox)) => self.change(registry, video, variant, mailbox),
                _ => Err(Refusal::Absent),
            },
        };
        if done.is_ok() {
            self.is_pinned = chosen.rendition.is_some();
        }
        // The client may have closed the request.
        let _ = chosen.answer.send(done);
    }

    /// Checks the link and the rendition. Returns the bitrate that the largest variant needs, if the bitrate may have
    /// changed.
    pub fn check(
        &mut self,
        registry: &Arc<Registry>,
        video: &mut VideoTrack,
        mailbox: Option<&Arc<Mailbox>>,
        now: Instant,
    ) -> Result<Option<u64>, Problem> {
        let Some(mailbox) = mailbox else { return Ok(None) };
        if video.variant == Variant::Main && self.variants.lacks_profile_now() {
            // The publisher has returned with another profile. A new session gets a rendition.
            return Err(problem!("left-other-codec"));
        }
        if self.last_check.is_some_and(|before| now.duration_since(before) < LINK_CHECK_INTERVAL) {
            return Ok(None);
        }
        self.last_check = Some(now);
        if !self.variants.has_choice {
            // In the first second of a stream, its bitrate is not known yet. Only a new maximum counts, because each
            // increase can cause a probe of the link.
            let rate = self.variants.stream.last_bitrate();
            let is_higher = rate > self.highest_bitrate;
            self.highest_bitrate = rate.max(self.highest_bitrate);
            return Ok(is_higher.then_some(rate));
        }
        let is_crowded = std::mem::take(&mut self.is_crowded);
        let next_has_ended =
            video.next_variant.as_ref().is_some_and(|next| next.used.ended().is_some());
        if next_has_ended {
            video.cancel_change(mailbox.id);
        }
        let has_ended = video.used.ended().is_some() && video.next_variant.is_none();
        if self.is_pinned && (has_ended || next_has_ended) {
            // A new session tells the viewer whether the server still encodes the chosen rendition.
            return Err(problem!("left-rendition-ended"));
        }
        let mut all = self.variants.all(registry);
        let largest = all.first().map(|(_, rate)| *rate);
        if has_ended {
            let before = video.variant;
            let mut others = all.iter().filter(|(variant, _)| *variant != before);
            let changed = others.any(|(it, _)| self.change(registry, video, *it, mailbox).is_ok());
            return if changed { Ok(largest) } else { Err(problem!("left-rendition-ended")) };
        }
        let Some(estimate) =
            self.estimate.filter(|_| !self.is_pinned && video.next_variant.is_none())
        else {
            return Ok(largest);
        };
        let rate = self.variants.bitrate(video.variant);
        let current = position_with(&mut all, video.variant, rate);
        let rates: Vec<u64> = all.iter().map(|(_, rate)| *rate).collect();
        let chosen = self.link.choose(&rates, current, (estimate, is_crowded), now);
        // If the server cannot encode this variant, a smaller one may already be running.
        let rest = chosen.and_then(|index| all.get(index..)).unwrap_or_default();
        let count = if chosen < Some(current) { 1 } else { rest.len() };
        for (variant, rate) in rest.iter().take(count) {
            tracing::debug!(estimate, rate, ?variant, "the link requires another rendition");
            match self.change(registry, video, *variant, mailbox) {
                Ok(()) => break,
                Err(why) => tracing::debug!(?why, "there is no such rendition"),
            }
        }
        Ok(largest)
    }

    /// Requests a change to this variant, which takes place at its next keyframe.
    fn change(
        &self,
        registry: &Arc<Registry>,
        video: &mut VideoTrack,
        variant: Variant,
        mailbox: &Arc<Mailbox>,
    ) -> Result<(), Refusal> {
        video.cancel_change(mailbox.id);
        if video.variant == variant && video.used.ended().is_none() {
            return Ok(());
        }
        let used = self.variants.open(registry, variant).map_err(|why| match why {
            Refused::Rendition(why) => why,
            _ => Refusal::Absent,
        })?;
        let tracks = *used.tracks().borrow();
        let is_av1 = variant == Variant::Main && tracks.video == Some(VideoFormat::Av1);
        if tracks.refused.is_some() || video.route.payload_type(is_av1).is_none() {
            return Err(Refusal::Absent);
        }
        used.subscribe(mailbox);
        let from = video.cursor.last_time().unwrap_or(i64::MIN);
        video.next_variant = Some(NextVariant { variant, used, from });
        Ok(())
    }
}

/// Returns the position of the current variant. If the variant is no longer offered, it is added by its bitrate: the
/// rules or the size of the stream may have changed.
fn position_with(all: &mut Vec<(Variant, u64)>, current: Variant, rate: u64) -> usize {
    if let Some(position) = all.iter().position(|(variant, _)| *variant == current) {
        return position;
    }
    let position = all.iter().position(|(_, other)| *other < rate).unwrap_or(all.len());
    all.insert(position, (current, rate));
    position
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::renditions::ladder::Ladder;

    #[test]
    fn a_variant_that_is_no_longer_offered_has_smaller_and_larger_ones() {
        let variant = |text: &str| Variant::Rendition(text.parse::<Ladder>().unwrap().video[0]);
        let offered = [
            (Variant::Main, 6_000_000),
            (variant("720p:2M"), 2_000_000),
            (variant("360p:800k"), 800_000),
        ];
        for (current, rate, expected) in [
            (variant("720p:2M"), 2_000_000, 1),
            (variant("480p:1M"), 1_000_000, 2),
            (variant("360p:500k"), 500_000, 3),
        ] {
            let mut all = offered.to_vec();
            assert_eq!(position_with(&mut all, current, rate), expected);
            assert_eq!(all[expected], (current, rate));
            assert!(all.is_sorted_by(|a, b| a.1 > b.1), "{all:?}");
        }
    }
}
