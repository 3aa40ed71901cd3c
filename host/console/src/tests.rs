//! The API from outside: requests into the router, over a real supervisor and a real SQLite file.
//! Only what runs apps is simulated; tests/integration has the whole program.

mod activity;
mod apps;
mod authorization;
mod capabilities;
mod cluster;
mod document;
mod environments;
mod figures;
mod login;
mod logs;
mod postgres;
mod repeats;
mod serving;
mod settings;
mod support;
mod tokens;
mod uploads;
