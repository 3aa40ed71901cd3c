//! Apps' databases on real servers: PostgreSQL and MariaDB, each started by the test that uses it.

mod bed;
mod bounds;
mod endings;
mod escapes;
mod migrations;
mod outage;
mod reports;
mod rooms;
mod tls;
mod urls;
mod values;
