//! Manages the fallbacks for sources that are black, frozen or gone. A fallback is opened in
//! addition to the scenes' sources, only while it is needed, and is shared with an equal open
//! source.

use std::collections::BTreeSet;

use crate::capture::{Properties, VideoChoice, VideoFallback};
use crate::compose::scene::SourceId;
use crate::media::source_status::{SourceAlarm, SourceReport};
use crate::studio::scenes::{Collection, MAIN_SOURCE, Source};

/// The bit that marks the id of a fallback. No source of a collection has it.
const FALLBACK_ID_BIT: u32 = 1 << 31;

/// Returns the id of the fallback for a source.
pub const fn id_for(of: SourceId) -> SourceId {
    SourceId(of.0 | FALLBACK_ID_BIT)
}

/// Returns the source that a fallback replaces, or the source itself.
pub const fn owner(id: SourceId) -> SourceId {
    SourceId(id.0 & !FALLBACK_ID_BIT)
}

/// Returns true if a source with this state cannot be shown.
pub fn is_out(report: &SourceReport) -> bool {
    report.state.is_down() || report.alarm.is_some_and(SourceAlarm::is_blank)
}

/// Returns all sources for which a fallback may be shown, including the main video source (`main`).
pub fn replaceable<'a>(
    collection: &'a Collection,
    main: &'a VideoChoice,
) -> impl Iterator<Item = (SourceId, &'a VideoFallback)> {
    let own = collection.sources.iter().map(|it| (it.id, &it.choice, &it.fallback));
    let all = std::iter::once((MAIN_SOURCE, main, &collection.main_fallback)).chain(own);
    let suiting = all.filter(|(_, choice, _)| VideoFallback::suits(choice));
    suiting
        .map(|(id, _, fallback)| (id, fallback))
        .filter(|(_, fallback)| **fallback != VideoFallback::Keep)
}

/// Returns the fallback sources that are needed while these sources, which are [`replaceable`],
/// cannot be shown; `name` returns their names.
pub fn wanted(
    collection: &Collection,
    out: &BTreeSet<SourceId>,
    name: impl Fn(&VideoChoice) -> String,
) -> Vec<Source> {
    let sources = out.iter().filter_map(|id| {
        let (id, choice) = (*id, collection.fallback(*id).choice()?.clone());
        Some(Source {
            id: id_for(id),
            name: name(&choice),
            choice,
            filters: Vec::new(),
            properties: Properties::default(),
            fallback: VideoFallback::Keep,
            record: false,
        })
    });
    sources.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::source_status::SourceState;
    use crate::studio::scenes::edits::Edit;

    #[test]
    fn only_a_failed_source_with_a_fallback_is_replaced() {
        let mut it = Collection::default();
        let scene = it.current;
        for choice in ["camera:front", "image:/logo.png", "file:/a.mp4"] {
            let (name, choice) = (choice.to_owned(), choice.parse().unwrap());
            assert!(it.apply(&Edit::AddSource { scene, name, choice }));
        }
        let other: VideoFallback = "camera:back".parse().unwrap();
        for id in 1..=3 {
            assert!(it.apply(&Edit::SetFallback(SourceId(id), other.clone())));
        }
        assert!(it.apply(&Edit::SetFallback(SourceId(3), VideoFallback::Placeholder)));
        let ids = |it: &Collection, main: &str| -> Vec<SourceId> {
            let main = main.parse().unwrap();
            replaceable(it, &main).map(|(id, _)| id).collect()
        };
        assert_eq!(ids(&it, "test"), [1, 3].map(SourceId), "a picture is as it is");
        let all = ids(&it, "test").into_iter().collect();
        let sources = wanted(&it, &all, ToString::to_string);
        assert_eq!(sources.len(), 1, "a slate opens nothing");
        let of = (sources[0].id, sources[0].choice.to_string());
        assert_eq!(of, (id_for(SourceId(1)), "camera:back".to_owned()));
        assert!(wanted(&it, &BTreeSet::new(), ToString::to_string).is_empty());
        // The same applies to the main video source, unless it may itself be out.
        assert!(it.apply(&Edit::SetFallback(MAIN_SOURCE, other)));
        for main in ["test", "none", "text:a", "color:#000000", "image:/a.png"] {
            assert_eq!(ids(&it, main), [1, 3].map(SourceId), "{main}");
        }
        for main in ["camera", "screen", "window:Game", "stream:rtmp://h/a/s", "file:/a.mp4"] {
            assert_eq!(ids(&it, main), [MAIN_SOURCE, SourceId(1), SourceId(3)], "{main}");
        }

        let report = |state, alarm| SourceReport { state, alarm, ..SourceReport::default() };
        assert!(is_out(&report(SourceState::Open, Some(SourceAlarm::FrozenFile))));
        assert!(is_out(&report(SourceState::Stalled, None)));
        assert!(!is_out(&report(SourceState::Open, Some(SourceAlarm::OtherFormat))));
        assert!(!is_out(&report(SourceState::Opening, None)));
    }
}
