//! The configurator: the desktop program that edits everything and shows the server at work.
//!
//! Model – update – view. `link` talks to the daemon on a thread of its own; `model` is what is known of the server and
//! what the person is about to change, and knows neither sockets nor drawing; `view` draws the model and returns
//! messages; `app` carries them between the three. Views never wait.
//!
//! Must not know: how the daemon stores or decides anything. Every text for people comes from Fluent by key.

pub mod app;
pub mod args;
pub mod link;
pub mod model;
pub mod text;
pub mod theme;
pub mod view;
pub mod widgets;
