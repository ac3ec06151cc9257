//! Drawing a plan of layers into one program frame.

pub(in crate::compose) mod bands;
pub(in crate::compose) mod blend;
pub(in crate::compose) mod canvas;
pub(in crate::compose) mod color_convert;
pub(in crate::compose) mod composed;
pub(in crate::compose) mod item_transitions;
pub(in crate::compose) mod layer;
pub(in crate::compose) mod prepare;
pub(in crate::compose) mod static_layers;
