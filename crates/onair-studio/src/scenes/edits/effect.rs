//! Determines properties of an edit before it is applied.

use super::Edit;
use crate::compose::filter::Slot;

impl Edit {
    /// Returns true if the edit continues `before`, as in a drag. Both are then one undo step.
    pub(crate) fn continues(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::SetPlace(id, _), Self::SetPlace(other, _))
            | (Self::SetOpacity(id, _), Self::SetOpacity(other, _)) => id == other,
            (Self::SetShow(id, Some(new)), Self::SetShow(other, Some(old)))
            | (Self::SetHide(id, Some(new)), Self::SetHide(other, Some(old))) => {
                id == other && new.kind == old.kind
            }
            // Dragging a number makes many edits of this kind.
            (Self::SetTransition(new), Self::SetTransition(old)) => {
                std::mem::discriminant(&new.kind) == std::mem::discriminant(&old.kind)
            }
            (
                Self::SetSceneTransition(id, Some(new)),
                Self::SetSceneTransition(other, Some(old)),
            ) => {
                id == other
                    && std::mem::discriminant(&new.kind) == std::mem::discriminant(&old.kind)
            }
            (Self::SetFilters(id, new), Self::SetFilters(other, old)) => {
                // The same applies to numbers of filters, but not to adding, removing or switching
                // filters.
                let alike = |(new, old): (&Slot, &Slot)| {
                    new.enabled == old.enabled && new.filter.kind() == old.filter.kind()
                };
                id == other && new.len() == old.len() && new.iter().zip(old).all(alike)
            }
            (Self::SetProperties(id, new), Self::SetProperties(other, old)) => {
                id == other && new.differs_only_in_values(old)
            }
            (Self::Several(new), Self::Several(old)) => {
                new.len() == old.len() && new.iter().zip(old).all(|(new, old)| new.continues(old))
            }
            _ => false,
        }
    }

    /// Returns true if the edit can add items or nest them deeper, so that it must be checked
    /// against the limits.
    pub(super) fn may_grow(&self) -> bool {
        match self {
            Self::AddSource { .. }
            | Self::PlaceSource { .. }
            | Self::Paste(..)
            | Self::ShowSource { .. }
            | Self::ShowScene { .. }
            | Self::DuplicateScene(_)
            | Self::DuplicateItem(_)
            | Self::DuplicateSource(_)
            | Self::MoveInto(_)
            | Self::Group(_) => true,
            Self::Several(edits) => edits.iter().any(Self::may_grow),
            Self::AddScene(_)
            | Self::RemoveScene(_)
            | Self::RenameScene(..)
            | Self::MoveScene(..)
            | Self::SetSource(..)
            | Self::RenameSource(..)
            | Self::SetFilters(..)
            | Self::SetProperties(..)
            | Self::AddFile(..)
            | Self::RemoveFile(..)
            | Self::ReplaceFile { .. }
            | Self::SetFallback(..)
            | Self::SetRecorded(..)
            | Self::RemoveItem(_)
            | Self::RenameItem(..)
            | Self::HideItem(..)
            | Self::LockItem(..)
            | Self::MoveItem(..)
            | Self::SetPlace(..)
            | Self::SetOpacity(..)
            | Self::SetBlend(..)
            | Self::SetShow(..)
            | Self::SetHide(..)
            | Self::Ungroup(..)
            | Self::SetTransition(_)
            | Self::SetSceneTransition(..) => false,
        }
    }
}
