//! The code examples of the document that this project follows, each under a name that says which:
//! what they print there is what they give here.

mod callbacks;
mod shared_output;
mod train_step;
