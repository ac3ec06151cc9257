//! Determines which sources are black, frozen or lost, and shows their fallbacks.

use std::collections::{BTreeMap, BTreeSet};

use super::Sources;
use crate::capture::{self, VideoChoice, VideoFallback};
use crate::compose::scene::SourceId;
use crate::compose::{self, Compositor};
use crate::media::source_status::SourceReport;
use crate::studio::scenes::{Collection, MAIN_SOURCE};
use crate::studio::sources::fallback;

/// Returns the part of the main video source's name that viewers may see, without an address or a
/// folder.
fn shown(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some(_) if name.contains("://") => "",
        Some((_, file)) => file,
        None => name,
    }
}

impl Sources {
    /// Enables the detection of black or frozen video for media files that have a fallback.
    pub(super) fn watch(&self, collection: &Collection, main: &VideoChoice) {
        let mut watched = BTreeSet::new();
        for (id, _) in fallback::replaceable(collection, main) {
            watched.insert(self.origin(id));
        }
        for (id, open) in &self.open {
            open.dials.set_fallback(watched.contains(id));
        }
    }

    /// Returns true if the main video source must be watched, for itself or for a source that
    /// shares it.
    pub fn watches_main(&self, collection: &Collection, main: &VideoChoice) -> bool {
        let mut ids = fallback::replaceable(collection, main);
        ids.any(|(id, _)| id == MAIN_SOURCE || self.shared.get(&id) == Some(&MAIN_SOURCE))
    }

    /// Returns the sources that their fallbacks must replace now. `main` is the main video source
    /// and its state.
    pub(super) fn replaced_sources(
        &self,
        collection: &Collection,
        main: (&VideoChoice, &SourceReport),
    ) -> BTreeSet<SourceId> {
        let (choice, main) = main;
        let out = fallback::replaceable(collection, choice).map(|(id, _)| id).filter(|id| {
            let of = self.origin(*id);
            match self.open.get(&of) {
                Some(open) => fallback::is_out(&open.chosen.report()),
                None => of == MAIN_SOURCE && fallback::is_out(main),
            }
        });
        out.collect()
    }

    /// Returns true if [`sync`](Self::sync) would change the replaced sources.
    pub fn is_out_otherwise(
        &self,
        collection: &Collection,
        main: (&VideoChoice, &SourceReport),
    ) -> bool {
        self.replaced_sources(collection, main) != self.out
    }

    /// Shows the fallbacks of the sources that are black, frozen or lost.
    pub(super) fn show_fallbacks(
        &mut self,
        collection: &Collection,
        main: &SourceReport,
        compositor: &Compositor,
    ) {
        let mut fallback = BTreeMap::new();
        let mut placeholders = BTreeMap::new();
        for id in &self.out {
            let by = fallback::id_for(*id);
            if *collection.fallback(*id) == VideoFallback::Placeholder {
                let own = collection.source_name(*id);
                let name = if *id == MAIN_SOURCE { shown(&main.name) } else { own };
                placeholders.insert(by, name.to_owned());
            }
            // A source that is already open is shared.
            fallback.insert(*id, self.origin(by));
        }
        for (id, name) in &placeholders {
            if self.placeholders.get(id) == Some(name) {
                continue;
            }
            let compose::Config { size, grid, clock } = compositor.config();
            match capture::nameplate(name, &capture::Context { clock, grid, size }) {
                Ok(placeholder) => compositor.set_source(*id, Some(placeholder.feed)),
                Err(error) => tracing::warn!(%error, "drawing a placeholder failed"),
            }
        }
        for id in self.placeholders.keys().filter(|id| !placeholders.contains_key(id)) {
            // Another source may have taken its place.
            if !self.open.contains_key(id) {
                compositor.set_source(*id, None);
            }
        }
        for id in self.fallback.keys().filter(|id| !fallback.contains_key(id)) {
            compositor.set_fallback(*id, None);
        }
        for (id, by) in &fallback {
            if self.fallback.get(id) != Some(by) {
                compositor.set_fallback(*id, Some(*by));
            }
        }
        (self.fallback, self.placeholders) = (fallback, placeholders);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_see_no_address_and_no_folder() {
        assert_eq!(shown("Logi C920"), "Logi C920");
        assert_eq!(shown("file:/home/ada/private/x.mp4"), "x.mp4");
        assert_eq!(shown("rtmp://203.0.113.7/live"), "");
    }
}
