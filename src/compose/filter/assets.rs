//! What some filters need beside their settings: what is in a file, read elsewhere.

use std::sync::Arc;

use crate::compose::filter::color::lut::Table;
use crate::media::Planes;

/// What kind of file a filter works with.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Asset {
    /// A colour table (`.cube`).
    Table,
    /// An image.
    Image,
}

/// What was in a file.
#[derive(Clone, Debug)]
pub enum FilterAssets {
    Table(Arc<Table>),
    /// In the program's colours.
    Image(Arc<Planes>),
}

/// What there is of a filter's file.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum AssetSupply {
    /// It works with none, or none is chosen: the frame passes as it is.
    #[default]
    Nothing,
    /// It is being read.
    Coming,
    /// It cannot be read.
    Lacking,
    There(FilterAssets),
}

impl From<Option<FilterAssets>> for AssetSupply {
    fn from(material: Option<FilterAssets>) -> Self {
        material.map_or(Self::Nothing, Self::There)
    }
}

impl PartialEq for FilterAssets {
    /// Whether both are the same reading of the same file.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Table(one), Self::Table(other)) => Arc::ptr_eq(one, other),
            (Self::Image(one), Self::Image(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}
