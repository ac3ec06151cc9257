//! The way to read the pixels of displays and windows: the best one that works. Where one fails, the next one follows.

use parking_lot::Mutex;

use crate::capture::screen::area::Area;
use crate::capture::screen::backend::windows::duplication::Duplication;
use crate::capture::screen::backend::windows::gdi::Gdi;
use crate::capture::screen::backend::windows::graphics_capture::GraphicsCapture;
use crate::capture::screen::backend::windows::way::{CaptureWay, Subject};
use crate::capture::screen::display::Fault;

/// Opens one way: of what, which part, and whether the pointer is wanted.
type Open = fn(Subject, Area, bool) -> Result<Box<dyn CaptureWay>, Fault>;

/// The ways, the best one first. The last one exists on every Windows.
const WAYS: [(&str, Open); 3] = [
    ("Windows.Graphics.Capture", |subject, part, pointer| {
        Ok(Box::new(GraphicsCapture::new(subject, part, pointer)?))
    }),
    ("DXGI", |subject, part, _| Ok(Box::new(Duplication::new(subject, part)?))),
    ("GDI", |subject, part, _| Ok(Box::new(Gdi::new(subject, part)?))),
];

/// What was logged last, because a window that changes its size is opened many times in a row.
static LOGGED: Mutex<String> = Mutex::new(String::new());

/// The way in use.
pub(super) struct Chosen {
    way: Box<dyn CaptureWay>,
    /// Its position in [`WAYS`].
    place: usize,
}

impl Chosen {
    /// Opens the best way that works.
    pub(super) fn best(subject: Subject, part: Area, pointer: bool) -> Result<Self, Fault> {
        first_of(&WAYS, 0, String::new(), (subject, part, pointer))
    }

    /// Opens the next way that works, after this one has failed.
    pub(super) fn after(
        &self,
        fault: &Fault,
        subject: Subject,
        part: Area,
        pointer: bool,
    ) -> Result<Self, Fault> {
        let (name, _) = WAYS[self.place.min(WAYS.len() - 1)];
        let failed = format!("{name}: {}; ", fault.detail());
        first_of(&WAYS, self.place + 1, failed, (subject, part, pointer))
    }

    pub(super) fn way(&mut self) -> &mut dyn CaptureWay {
        &mut *self.way
    }
}

fn first_of(
    ways: &[(&str, Open)],
    from: usize,
    mut failed: String,
    (subject, part, pointer): (Subject, Area, bool),
) -> Result<Chosen, Fault> {
    for (place, (name, open)) in ways.iter().enumerate().skip(from) {
        match open(subject, part, pointer) {
            Ok(way) => {
                let line = format!("{name} {failed}");
                let mut logged = LOGGED.lock();
                if *logged != line {
                    tracing::info!(way = name, %failed, "capturing displays and windows");
                    *logged = line;
                }
                return Ok(Chosen { way, place });
            }
            Err(fault) => failed += &format!("{name}: {}; ", fault.detail()),
        }
    }
    Err(Fault::Other(failed.trim_end_matches("; ").to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::screen::backend::windows::way::News;

    struct Fake;

    impl CaptureWay for Fake {
        fn take(&mut self) -> Result<News, Fault> {
            Ok(News::None)
        }

        fn read(&mut self, _: Area) -> Result<&[u8], Fault> {
            Ok(&[])
        }

        fn draws_pointer(&self) -> bool {
            false
        }
    }

    const WORKS: Open = |_, _, _| Ok(Box::new(Fake));
    const FAILS: Open = |_, _, _| Err(Fault::Other("why".to_owned()));

    fn opened(ways: &[(&str, Open)], from: usize) -> Result<usize, Fault> {
        let what = (Subject::AllDisplays { at: (0, 0) }, Area::new(0, 0, 2, 2), false);
        first_of(ways, from, String::new(), what).map(|chosen| chosen.place)
    }

    #[test]
    fn where_one_way_fails_the_next_one_follows() {
        let ways = [("a", FAILS), ("b", WORKS), ("c", WORKS)];
        assert_eq!(opened(&ways, 0), Ok(1));
        assert_eq!(opened(&ways, 2), Ok(2));
        assert_eq!(opened(&[("a", WORKS), ("b", WORKS)], 0), Ok(0));
    }

    #[test]
    fn if_all_ways_fail_each_says_why() {
        let all = opened(&[("a", FAILS), ("b", FAILS)], 0);
        assert_eq!(all, Err(Fault::Other("a: why; b: why".to_owned())));
        assert_eq!(opened(&[("a", WORKS)], 1), Err(Fault::Other(String::new())));
    }
}
