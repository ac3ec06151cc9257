//! Edit lists (§8.6.6): which parts of a track's media are shown, and when.

use crate::base::Timestamp;
use crate::wire::container::mp4::boxes::Fields;
use crate::wire::container::mp4::sample_table::micros;
use crate::wire::container::{EDIT_MARGIN_MICROS, SampleLocation};

/// Maximum number of parts. Editors write a part per cut.
const MAX_PARTS: usize = 10_000;
/// Maximum number of samples that are compared for all parts of a track.
const MAX_COMPARISONS: usize = 100_000_000;
/// The longest possible shift. A longer one is not a valid edit.
const MAX_SHIFT_MICROS: i64 = 86_400_000_000;

/// The edit list of a track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edit {
    /// Time shift of the media up to the end of the first part, in microseconds.
    pub shift: i64,
    /// Start of the shown media.
    pub begins: Option<Timestamp>,
    /// End of the shown media, if the list declares it.
    pub ends: Option<Timestamp>,
    /// The shown parts, if there are several with gaps in the media.
    pub parts: Vec<EditPart>,
}

/// A shown part of the media. All times are in microseconds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct EditPart {
    /// When it is shown.
    at: i64,
    /// Its start in the media.
    from: i64,
    length: i64,
}

/// Reads an edit list: the empty edits, and the shown media.
pub(super) fn read(elst: &[u8], movie_timescale: u32, timescale: u32) -> Option<Edit> {
    let (version, mut fields) = Fields::versioned(elst)?;
    let count = fields.u32()?;
    let edits = (0..count).map_while(|_| {
        let duration = fields.long(version)?;
        let from = if version == 1 {
            fields.u64()?.cast_signed()
        } else {
            i64::from(fields.u32()?.cast_signed())
        };
        fields.u32()?;
        let duration = i64::try_from(duration).unwrap_or(i64::MAX);
        let from = (from >= 0).then(|| micros(from, timescale).as_micros());
        Some((micros(duration, movie_timescale).as_micros(), from))
    });
    let mut at = 0_i64;
    let mut parts: Vec<EditPart> = Vec::new();
    for (length, from) in edits.take(MAX_PARTS) {
        if let Some(from) = from {
            // Some writers divide the list, but not the media.
            let follows = |last: &&mut EditPart| {
                let gaps = [
                    from.saturating_sub(last.from.saturating_add(last.length)),
                    at.saturating_sub(last.at.saturating_add(last.length)),
                ];
                gaps.iter().all(|gap| gap.saturating_abs() <= EDIT_MARGIN_MICROS)
            };
            match parts.last_mut().filter(follows) {
                Some(last) => last.length = last.length.saturating_add(length),
                None => parts.push(EditPart { at, from, length }),
            }
        }
        at = at.checked_add(length)?;
    }
    let first = *parts.first()?;
    let shift = first.at.checked_sub(first.from).filter(|it| it.abs() < MAX_SHIFT_MICROS)?;
    let begins = Timestamp::from_micros(first.at);
    let is_divided = parts.len() > 1;
    // In fragmented files, the duration is often zero.
    let ends = Some(begins.offset(first.length)).filter(|_| first.length > 0 && !is_divided);
    let parts = if is_divided { parts } else { Vec::new() };
    Some(Edit { shift, begins: Some(begins), ends, parts })
}

impl Edit {
    /// Returns the samples of all parts with the times at which they are shown. `all` are the samples of the track in
    /// decoding order, shifted like the first part. Where a part of a video does not begin with a keyframe, the frames
    /// from the last keyframe on come before it, without duration, so that players decode but do not show them.
    pub fn arrange(&self, all: &[SampleLocation], is_video: bool) -> Vec<SampleLocation> {
        let mut arranged: Vec<SampleLocation> = Vec::new();
        let most = MAX_COMPARISONS / all.len().max(1);
        for (number, part) in self.parts.iter().take(most).enumerate() {
            let media = |sample: &SampleLocation| {
                sample.pts.as_micros().saturating_sub(self.shift).saturating_sub(part.from)
            };
            let is_shown = |sample: &SampleLocation| {
                let end = part.length.saturating_sub(EDIT_MARGIN_MICROS);
                (-EDIT_MARGIN_MICROS..end).contains(&media(sample))
            };
            let Some(first) = all.iter().position(is_shown) else { continue };
            let last = all.iter().rposition(is_shown).unwrap_or(first);
            let before = all.get(..=first).unwrap_or_default();
            let begin = match is_video {
                true => before.iter().rposition(|sample| sample.keyframe).unwrap_or(first),
                false => first,
            };
            let shift = part.at.saturating_sub(part.from).saturating_sub(self.shift);
            for sample in all.get(begin..=last).unwrap_or_default() {
                let (dts, pts) = (sample.dts.offset(shift), sample.pts.offset(shift));
                let least = arranged.last().map_or(dts, |before| before.dts.offset(1));
                // What precedes the first part is hidden by the start of the whole track.
                let (dts, pts) = match number > 0 && !is_shown(sample) {
                    true => (least, least),
                    false => (dts.max(least), pts),
                };
                if is_video || is_shown(sample) {
                    arranged.push(SampleLocation { dts, pts, ..*sample });
                }
            }
        }
        arranged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::TrackId;

    /// A list of (duration, start in the media), in milliseconds.
    fn list(entries: &[(u32, i32)]) -> Edit {
        let mut elst = vec![0_u8; 4];
        elst.extend((entries.len() as u32).to_be_bytes());
        for (duration, from) in entries {
            elst.extend(duration.to_be_bytes());
            elst.extend(from.to_be_bytes());
            elst.extend([0, 1, 0, 0]);
        }
        read(&elst, 1_000, 1_000).unwrap()
    }

    /// Thirty seconds with a sample every half second, of which every second one is a keyframe. Each sample has its
    /// number as its place.
    fn samples(edit: &Edit, track: TrackId) -> Vec<SampleLocation> {
        let sample = |number: i64| {
            let time = Timestamp::from_millis(number * 500).offset(edit.shift);
            let keyframe = number % 2 == 0;
            SampleLocation { track, keyframe, dts: time, pts: time, at: number as u64, size: 1 }
        };
        (0..60).map(sample).collect()
    }

    #[test]
    fn each_part_of_an_edit_list_is_shown_at_its_time_and_what_was_cut_out_is_not() {
        let edit = list(&[(1_000, 0), (1_000, 10_500), (500, 1_000)]);
        let shown = |track, is_video| {
            let arranged = edit.arrange(&samples(&edit, track), is_video);
            arranged.iter().map(|it| (it.at, it.pts.as_micros())).collect::<Vec<_>>()
        };
        let audio = [(0, 0), (1, 500_000), (21, 1_000_000), (22, 1_500_000), (2, 2_000_000)];
        assert_eq!(shown(TrackId::Audio(0), false), audio);
        // The keyframe before the second part has no duration.
        let video =
            [(0, 0), (1, 500_000), (20, 500_001), (21, 1_000_000), (22, 1_500_000), (2, 2_000_000)];
        assert_eq!(shown(TrackId::Video, true), video);
    }

    #[test]
    fn a_pause_between_two_parts_stays() {
        let edit = list(&[(1_000, 0), (2_000, -1), (1_000, 1_000)]);
        let arranged = edit.arrange(&samples(&edit, TrackId::Audio(0)), false);
        let times: Vec<_> = arranged.iter().map(|it| it.pts.as_millis()).collect();
        assert_eq!(times, [0, 500, 3_000, 3_500]);
    }

    #[test]
    fn an_edit_list_without_media_or_of_more_than_a_day_is_none() {
        assert_eq!(read(&[0; 8], 1, 1), None);
        let day = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &[0, 0, 0, 1], &[0, 2, 0, 0], &[0, 1, 0, 0]];
        assert_eq!(read(&day.concat(), 1, 1), None);
    }
}
