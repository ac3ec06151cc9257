//! File contents that some filters need in addition to their settings. Other code reads the files.

use std::sync::Arc;

use crate::compose::filter::color::lut::Table;
use crate::media::Planes;

/// The kind of file that a filter uses.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Asset {
    /// A LUT (`.cube`).
    Table,
    /// An image.
    Image,
}

/// The content of a file.
#[derive(Clone, Debug)]
pub enum FilterAssets {
    Table(Arc<Table>),
    /// An image in the program's colors.
    Image(Arc<Planes>),
}

/// The state of a filter's file.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum AssetSupply {
    /// The filter needs no file, or no file is chosen, so that the frame passes unchanged.
    #[default]
    Nothing,
    /// The file is being read.
    Coming,
    /// The file cannot be read.
    Lacking,
    There(FilterAssets),
}

impl From<Option<FilterAssets>> for AssetSupply {
    fn from(material: Option<FilterAssets>) -> Self {
        material.map_or(Self::Nothing, Self::There)
    }
}

impl PartialEq for FilterAssets {
    /// Returns true if both come from the same reading of the same file.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Table(one), Self::Table(other)) => Arc::ptr_eq(one, other),
            (Self::Image(one), Self::Image(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}
