//! The contents of a scene file, which can be added to the existing collection.

pub mod merge;
pub(in crate::settings) mod obs;
pub(in crate::settings) mod obs_profile;
pub mod report;

use crate::audio::AudioChoice;
use crate::studio::mixer::{AudioStrip, take_in};
use crate::studio::scenes::Collection;
use crate::studio::settings::import::merge::MergeReport;
use crate::text::problem::{Problem, problem};

/// Maximum number of parts listed in a notice.
const MAX_LISTED_PARTS: usize = 30;

/// The contents of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The name of the collection in the file; empty if the file contains none.
    pub name: String,
    pub collection: Collection,
    /// Strips of the mixer, to be [added](crate::studio::mixer::take_in).
    pub strips: Vec<AudioStrip>,
    /// The parts that were not imported.
    pub left_out: Vec<Problem>,
}

impl Import {
    /// Adds the contents to the existing collection; `main` is the audio of the main strip. Returns
    /// the numbers of added scenes, sources and strips. Parts that could not be added are removed
    /// here and listed in `left_out`.
    pub fn give(
        &mut self,
        to: &mut Collection,
        strips: &mut Vec<AudioStrip>,
        main: Option<&AudioChoice>,
    ) -> (usize, usize, usize) {
        let MergeReport { scenes, sources, left_out } = to.take_in(self.collection.clone());
        self.left_out.extend(left_out);
        self.collection.scenes.truncate(scenes);
        self.collection.sources.truncate(sources);
        let (came, left_out) = take_in(strips, main, self.strips.clone());
        self.left_out.extend(left_out);
        let mut came = came.into_iter();
        self.strips.retain(|_| came.next() == Some(true));
        (scenes, sources, self.strips.len())
    }

    /// Returns the parts that were not imported, shortened for a notice.
    pub fn left_out_in_short(&self) -> Vec<Problem> {
        in_short(&self.left_out)
    }
}

/// Returns the parts that were not imported, shortened for a notice.
pub(in crate::settings) fn in_short(left_out: &[Problem]) -> Vec<Problem> {
    let mut what: Vec<_> = left_out.iter().take(MAX_LISTED_PARTS).cloned().collect();
    let more = left_out.len().saturating_sub(MAX_LISTED_PARTS);
    what.extend((more > 0).then(|| problem!("import-and-more", count = more)));
    what
}
