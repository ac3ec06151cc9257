//! Chapters as a text track that the first track references (`tref` of kind `chap`; QuickTime File
//! Format, "Chapter Lists" and "Text Media"), as QuickTime, VLC, mpv and FFmpeg read them. The file
//! also has the older list `chpl`. Each sample of the track is a title, which lasts until the next
//! one.

use bytes::{BufMut, BytesMut};

use crate::base::Timestamp;
use crate::wire::container::mp4::boxes::{Fields, boxes, child, put_box, put_matrix};
use crate::wire::container::mp4::sample_table::{Entry, Table, ticks};
use crate::wire::container::{
    Chapter, Error, FilePart, MAX_CHAPTERS, ReadAt, SampleLocation, read,
};

/// Ticks per second of the track. The low rate allows chapters of several weeks.
const CHAPTER_TIMESCALE: u32 = 1_000;
/// Maximum size in bytes of a sample that can be a title.
const MAX_TITLE_SAMPLE_BYTES: u32 = 4_096;
/// The value of the `encd` box after a title, which marks the title as UTF-8.
const UTF_8_ENCODING: u32 = 0x100;

/// Makes the samples of these chapters, and their table. The first sample is at `at` in the file,
/// and the last one lasts until `end`.
pub(super) fn samples(chapters: &[Chapter], at: u64, end: Timestamp) -> (BytesMut, Table) {
    let mut sorted: Vec<&Chapter> = chapters.iter().collect();
    sorted.sort_by_key(|chapter| chapter.at);
    let mut data = BytesMut::new();
    let mut entries: Vec<Entry> = Vec::new();
    for chapter in sorted {
        let before = data.len();
        data.put_u16(u16::try_from(chapter.title.len()).unwrap_or(u16::MAX));
        data.put_slice(chapter.title.as_bytes());
        put_box(&mut data, *b"encd", |out| out.put_u32(UTF_8_ENCODING));
        let after = entries.last().map_or(0, |last| last.dts + 1);
        let dts = ticks(chapter.at, CHAPTER_TIMESCALE).max(after);
        let size = u32::try_from(data.len() - before).unwrap_or(0);
        entries.push(Entry { dts, composition: 0, size, keyframe: true });
    }
    let rest = entries.last().map_or(0, |last| ticks(end, CHAPTER_TIMESCALE) - last.dts);
    let mut table = Table::new(CHAPTER_TIMESCALE, u32::try_from(rest.max(1)).unwrap_or(u32::MAX));
    table.chunk(at, &entries);
    // FFmpeg uses the media duration as the end of the last chapter, on the movie's timeline.
    table.overhang = u32::try_from(table.first_dts()).unwrap_or(0);
    (data, table)
}

/// Returns an upper estimate of the size in bytes of the samples and their `trak`.
pub(super) fn weight(chapters: &[Chapter]) -> usize {
    let each = chapters.iter().map(|chapter| 2 * chapter.title.len() + 60).sum::<usize>();
    if chapters.is_empty() { 0 } else { 1_000 + each }
}

/// Writes the content of `minf` for a text track (QuickTime's base media header).
pub(super) fn put_header(out: &mut BytesMut) {
    put_box(out, *b"gmhd", |out| {
        put_box(out, *b"gmin", |out| {
            out.put_u32(0);
            // Graphics mode "copy", over mid gray.
            out.put_u16(0x40);
            (0..3).for_each(|_| out.put_u16(0x8000));
            out.put_u32(0);
        });
        put_box(out, *b"text", put_matrix);
    });
}

/// Writes the sample description, without any text style.
pub(super) fn put_description(out: &mut BytesMut) {
    put_box(out, *b"text", |out| {
        out.put_bytes(0, 6);
        out.put_u16(1);
        // Flags, justification, background, box, reserved, font, face.
        out.put_bytes(0, 4 + 4 + 6 + 8 + 8 + 2 + 2);
        // Reserved, foreground, an empty name.
        out.put_bytes(0, 1 + 2 + 6 + 1);
    });
}

/// Returns the ids of the tracks in `moov` that are chapter tracks of other tracks.
pub(super) fn tracks(moov: &[u8]) -> Vec<u32> {
    let mut numbers = Vec::new();
    for trak in boxes(moov).filter(|found| found.name == *b"trak").take(64) {
        let chap = child(trak.content, *b"tref").and_then(|tref| child(tref, *b"chap"));
        let mut fields = Fields(chap.unwrap_or_default());
        while let Some(number) = fields.u32().filter(|_| numbers.len() < 64) {
            numbers.push(number);
        }
    }
    numbers
}

/// Reads the chapters from the samples of a chapter track. Samples without a title are skipped.
pub(super) fn titles(
    source: &mut dyn ReadAt,
    places: &[SampleLocation],
) -> Result<Vec<Chapter>, Error> {
    let mut chapters = Vec::new();
    for place in
        places.iter().filter(|place| place.size <= MAX_TITLE_SAMPLE_BYTES).take(MAX_CHAPTERS)
    {
        let size = u64::from(place.size);
        let sample =
            read(source, place.at, size, MAX_TITLE_SAMPLE_BYTES as usize, FilePart::Chapters)?;
        let mut fields = Fields(&sample);
        let text = fields.u16().and_then(|length| fields.bytes(length.into()));
        let title = match text.unwrap_or_default() {
            [] => continue,
            [0xFE, 0xFF, wide @ ..] => {
                let units = wide.chunks_exact(2);
                let units =
                    units.map(|it| it.iter().fold(0, |all, byte| all << 8 | u16::from(*byte)));
                char::decode_utf16(units)
                    .map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .collect()
            }
            text => String::from_utf8_lossy(text).into_owned(),
        };
        chapters.push(Chapter::new(place.dts.max(Timestamp::ZERO), &title));
    }
    Ok(chapters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::TrackId;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn titles_come_back_in_the_order_of_time() {
        let chapters = [
            Chapter::new(at(2_500), "中 Middle"),
            Chapter::new(at(500), "Beginning"),
            Chapter::new(at(2_500), "Twice"),
        ];
        let (data, table) = samples(&chapters, 0, at(4_000));
        assert_eq!((table.first_dts(), table.last_dts()), (500, Some(2_501)));
        assert_eq!(table.duration(), 3_500);
        assert!(data.len() + 200 < weight(&chapters));
        let mut places = Vec::new();
        let mut from = 0;
        for (time, title) in [(500, "Beginning"), (2_500, "中 Middle"), (2_501, "Twice")] {
            let size = 14 + title.len() as u32;
            let (track, dts) = (TrackId::Video, at(time));
            places.push(SampleLocation { track, keyframe: true, dts, pts: dts, at: from, size });
            from += u64::from(size);
        }
        let found = titles(&mut &data[..], &places).unwrap();
        let found: Vec<_> = found.iter().map(|it| (it.at.as_millis(), it.title.as_str())).collect();
        assert_eq!(found, [(500, "Beginning"), (2_500, "中 Middle"), (2_501, "Twice")]);
    }

    #[test]
    fn titles_of_two_bytes_a_letter_are_read_and_lies_are_passed_over() {
        let sample = [0, 6, 0xFE, 0xFF, 0x4E, 0x2D, 0, b'A'];
        let place = |size| {
            let dts = at(0);
            SampleLocation { track: TrackId::Video, keyframe: true, dts, pts: dts, at: 0, size }
        };
        let read = |sample: &[u8], size| titles(&mut { sample }, &[place(size)]);
        assert_eq!(read(&sample, 8).unwrap()[0].title, "中A");
        assert!(read(&[0, 0], 2).unwrap().is_empty());
        assert!(read(&[0xFF, 0xFF, 1], 3).unwrap().is_empty());
        assert!(read(&sample, 9).is_err());
        assert!(read(&sample, 1 << 30).unwrap().is_empty());
    }
}
