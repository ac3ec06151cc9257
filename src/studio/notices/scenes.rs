//! What the studio says about scenes and their sources: part of [`StudioMessage`](crate::studio::notices::message::StudioMessage).

use crate::compose::scene::{MAX_LAYERS, SourceId};
use crate::studio::notices::{Level, Remedy};
use crate::studio::scenes::edits::EditRefusal;

/// Taken back once there is room for a strip.
pub(in crate::studio) const NO_STRIP: &str = "scene-no-strip";

/// Taken back once the scene has no more.
pub(in crate::studio) const CROWDED: &str = "scene-crowded";

/// Something about scenes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SceneMessage {
    /// A source cannot be shown.
    SourceFailed {
        id: SourceId,
        source: String,
        reason: String,
    },
    /// A source that was shown is gone.
    SourceLost {
        id: SourceId,
        source: String,
        reason: String,
    },
    SourceBack {
        source: String,
    },
    /// A source goes on without this one of its files, and so many others.
    FileLeftOut {
        id: SourceId,
        source: String,
        path: String,
        others: usize,
        reason: String,
    },
    /// What a source plays is not heard: there are as many strips as there may be.
    NoStrip {
        source: String,
    },
    /// A scene has more layers than are drawn.
    Crowded {
        scene: String,
    },
    /// A file that filters of these sources work with cannot be used: they do nothing.
    FilterFailed {
        id: SourceId,
        source: String,
        path: String,
        reason: String,
    },
    /// …and what it is to hide of them must not be seen.
    MaskFailed {
        id: SourceId,
        source: String,
        path: String,
        reason: String,
    },
    /// The picture of a wipe or the clip of a stinger cannot be used.
    TransitionFailed {
        path: String,
        reason: String,
    },
    /// A collection was taken in.
    Imported {
        scenes: String,
        sources: String,
        strips: String,
    },
    /// What of it was not.
    LeftOut {
        what: String,
    },
    ImportFailed {
        path: String,
        reason: String,
    },
    Exported {
        path: String,
    },
    ExportFailed {
        path: String,
        reason: String,
    },
    /// The machine does not keep up: the scene that is prepared is not drawn.
    PreviewDropped,
    /// …and transitions are cuts.
    TransitionsDropped,
    /// …and filters that only make a picture nicer are left out.
    FiltersDropped,
    /// …and only every second picture is new.
    RateHalved,
    /// It keeps up again.
    FullQuality,
    /// A change of the scenes was not made.
    Refused(EditRefusal),
}

impl SceneMessage {
    /// Its name, as in `notice-…` of the texts.
    pub fn key(&self) -> &'static str {
        match self {
            Self::SourceFailed { .. } => "scene-source-failed",
            Self::SourceLost { .. } => "scene-source-lost",
            Self::SourceBack { .. } => "scene-source-back",
            Self::FileLeftOut { others: 0, .. } => "scene-file-left-out",
            Self::FileLeftOut { .. } => "scene-files-left-out",
            Self::NoStrip { .. } => NO_STRIP,
            Self::Crowded { .. } => CROWDED,
            Self::FilterFailed { .. } => "filter-failed",
            Self::MaskFailed { .. } => "mask-failed",
            Self::TransitionFailed { .. } => "transition-failed",
            Self::Imported { .. } => "scenes-imported",
            Self::LeftOut { .. } => "scenes-left-out",
            Self::ImportFailed { .. } => "scenes-import-failed",
            Self::Exported { .. } => "scenes-exported",
            Self::ExportFailed { .. } => "scenes-export-failed",
            Self::PreviewDropped => "degradation-preview",
            Self::TransitionsDropped => "degradation-transitions",
            Self::FiltersDropped => "degradation-filters",
            Self::RateHalved => "degradation-rate",
            Self::FullQuality => "degradation-over",
            Self::Refused(EditRefusal::TooMany) => "items-too-many",
            Self::Refused(EditRefusal::TooDeep) => "items-too-deep",
            Self::Refused(EditRefusal::Cut) => "ungroup-cut",
            Self::Refused(EditRefusal::Stretched) => "ungroup-stretched",
            Self::Refused(EditRefusal::Scaled) => "ungroup-scaled",
        }
    }

    pub(in crate::studio) fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::SourceFailed { source, reason, .. } | Self::SourceLost { source, reason, .. } => {
                vec![("source", source.clone()), ("reason", reason.clone())]
            }
            Self::SourceBack { source } | Self::NoStrip { source } => {
                vec![("source", source.clone())]
            }
            Self::FileLeftOut { source, path, others, reason, .. } => {
                let mut args = vec![
                    ("source", source.clone()),
                    ("path", path.clone()),
                    ("reason", reason.clone()),
                ];
                if *others > 0 {
                    args.push(("others", others.to_string()));
                }
                args
            }
            Self::FilterFailed { source, path, reason, .. }
            | Self::MaskFailed { source, path, reason, .. } => {
                vec![("source", source.clone()), ("path", path.clone()), ("reason", reason.clone())]
            }
            Self::Imported { scenes, sources, strips } => vec![
                ("scenes", scenes.clone()),
                ("sources", sources.clone()),
                ("strips", strips.clone()),
            ],
            Self::Crowded { scene } => vec![("scene", scene.clone())],
            Self::LeftOut { what } => vec![("what", what.clone())],
            Self::ImportFailed { path, reason }
            | Self::ExportFailed { path, reason }
            | Self::TransitionFailed { path, reason } => {
                vec![("path", path.clone()), ("reason", reason.clone())]
            }
            Self::Exported { path } => vec![("path", path.clone())],
            Self::PreviewDropped
            | Self::TransitionsDropped
            | Self::FiltersDropped
            | Self::RateHalved
            | Self::FullQuality
            | Self::Refused(_) => Vec::new(),
        }
    }

    pub(in crate::studio) fn level(&self) -> Level {
        match self {
            Self::SourceBack { .. }
            | Self::Imported { .. }
            | Self::Exported { .. }
            | Self::FullQuality => Level::Info,
            Self::ImportFailed { .. } | Self::ExportFailed { .. } => Level::Error,
            _ => Level::Warning,
        }
    }

    /// The button that helps.
    pub(in crate::studio) fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::SourceFailed { id, .. }
            | Self::SourceLost { id, .. }
            | Self::FileLeftOut { id, .. } => Some(Remedy::EditSource(*id)),
            Self::FilterFailed { id, .. } | Self::MaskFailed { id, .. } => {
                Some(Remedy::EditFilters(*id))
            }
            Self::TransitionFailed { .. } => Some(Remedy::EditTransition),
            _ => None,
        }
    }

    pub(in crate::studio) fn summary(&self) -> String {
        match self {
            Self::SourceFailed { source, reason, .. } => {
                format!("The source {source} cannot be shown: {reason}")
            }
            Self::SourceLost { source, reason, .. } => {
                format!("The source {source} is gone: {reason}")
            }
            Self::SourceBack { source } => format!("The source {source} is back."),
            Self::FileLeftOut { source, path, others: 0, reason, .. } => {
                format!("The source {source} is shown without {path}: {reason}")
            }
            Self::FileLeftOut { source, path, others, reason, .. } => {
                format!("The source {source} is shown without {path} ({reason}) and {others} more of its files")
            }
            Self::NoStrip { source } => {
                format!("{source} is not heard: there are as many strips as there may be.")
            }
            Self::Crowded { scene } => {
                format!("The scene {scene} has more than {MAX_LAYERS} layers: those above them are not drawn.")
            }
            Self::FilterFailed { source, path, reason, .. } => {
                format!("A filter of {source} does nothing, because {path} cannot be used: {reason}")
            }
            Self::MaskFailed { source, path, reason, .. } => {
                format!("A slate is shown for {source}, because its mask {path} cannot be used: {reason}")
            }
            Self::TransitionFailed { path, reason } => {
                format!("Scenes change with a cut, because {path} cannot be used: {reason}")
            }
            Self::Imported { scenes, sources, strips } => {
                format!("Taken in: scenes {scenes}, sources {sources}, strips of sound {strips}.")
            }
            Self::LeftOut { what } => format!("Not taken in: {what}"),
            Self::ImportFailed { path, reason } => {
                format!("The scenes in {path} cannot be taken in: {reason}")
            }
            Self::Exported { path } => format!("The scenes are saved: {path}"),
            Self::ExportFailed { path, reason } => {
                format!("The scenes cannot be saved to {path}: {reason}")
            }
            Self::PreviewDropped => {
                "This machine does not keep up: the prepared scene is not drawn.".into()
            }
            Self::TransitionsDropped => {
                "This machine does not keep up: scenes change without transitions.".into()
            }
            Self::FiltersDropped => {
                "This machine does not keep up: beauty, denoising and sharpening are left out."
                    .into()
            }
            Self::RateHalved => {
                "This machine does not keep up: every second picture repeats the one before.".into()
            }
            Self::FullQuality => "This machine keeps up again: everything is drawn.".into(),
            Self::Refused(refusal) => match refusal {
                EditRefusal::TooMany => "That would be more items than the scenes may have.",
                EditRefusal::TooDeep => "That would lie too deep: groups and scenes go no deeper within each other.",
                EditRefusal::Cut => "The group stays: it is cut off at its edges, which its members could not be by themselves.",
                EditRefusal::Stretched => "The group stays: it is stretched, which its members could not be by themselves.",
                EditRefusal::Scaled => "The group stays: it scales a member that is shown in its original size.",
            }
            .into(),
        }
    }

    pub(in crate::studio) fn advice(&self) -> String {
        match self {
            Self::SourceFailed { .. } => "It is shown as soon as it is there; until then a slate, or what its properties say. Or choose another file or device.".into(),
            Self::SourceLost { .. } => "It is taken back by itself when it returns; until then a slate is shown, or what its properties say.".into(),
            Self::FileLeftOut { .. } => "It is shown in its turn as soon as it is there. Or choose another file for it in the properties of the source.".into(),
            Self::NoStrip { .. } => "Remove a strip from the audio mixer, then add one that hears it.".into(),
            Self::Crowded { .. } => "Hide or remove what is not needed; what is in groups and in scenes within it counts one by one.".into(),
            Self::FilterFailed { .. } => "The filter works as soon as the file is there. Or choose another file in the filters of the source.".into(),
            Self::MaskFailed { .. } => "The source is shown as soon as the file is there: without it nothing would be hidden. Or choose another file in its filters.".into(),
            Self::TransitionFailed { .. } => "It is taken as soon as it is there. Or choose another file in the transition's options.".into(),
            Self::LeftOut { .. } => "onair has nothing of that kind, or no room for it. The scenes are without it.".into(),
            Self::ImportFailed { .. } => "Choose a scene collection of onair (TOML or JSON) or of OBS (JSON).".into(),
            Self::ExportFailed { .. } => "Choose another folder.".into(),
            Self::PreviewDropped
            | Self::TransitionsDropped
            | Self::FiltersDropped
            | Self::RateHalved => {
                "Hide sources, choose a smaller picture, or close other programs. Sound is not affected.".into()
            }
            Self::Refused(refusal) => match refusal {
                EditRefusal::TooMany => "Remove items that are not needed any more; all scenes together have 2,000 at most.",
                EditRefusal::TooDeep => "Eight levels are drawn, with what is in them. Ungroup one of them first.",
                EditRefusal::Cut => "Take its crop back, and choose another fit than Cover; then ungroup it.",
                EditRefusal::Stretched => "Choose another fit for the group, or Stretch for its members; then ungroup it.",
                EditRefusal::Scaled => "Choose another fit for the member; then ungroup it.",
            }
            .into(),
            Self::SourceBack { .. } | Self::Imported { .. } | Self::Exported { .. } | Self::FullQuality => String::new(),
        }
    }
}
