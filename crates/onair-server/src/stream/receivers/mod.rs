//! Who receives a stream, and in which form: the viewers, and receivers that need AAC instead of Opus.

mod aac_messages;
pub(crate) mod aac_need;
mod viewer_list;
