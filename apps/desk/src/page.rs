//! The frame of every page.

use crate::people::Person;
use axum::response::{IntoResponse, Response};
use lodge_sdk::{StatusCode, header};
use maud::{DOCTYPE, Markup, html};

/// Nothing but the desk's own style sheet; forms go to the desk only.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// The way from a page to the desk's root: `../` for each folder in its path.
pub(crate) fn root(path: &str) -> String {
    "../".repeat(path.matches('/').count().saturating_sub(1))
}

/// A page for who is signed in, or for nobody.
pub(crate) fn page(path: &str, title: &str, who: Option<&Person>, body: Markup) -> Response {
    let root = root(path);
    let here = if root.is_empty() { "./" } else { &root };
    let nav = html! {
        header {
            nav aria-label="Desk" {
                strong { "Desk" }
                @if let Some(person) = who {
                    a href=(here) { "Tickets" }
                    a href=(format!("{root}tickets/new")) { "New ticket" }
                    @if person.is_admin { a href=(format!("{root}admin/")) { "Admin" } }
                    span .soft { (person.name) }
                    form method="post" action=(format!("{root}logout")) { button .quiet { "Sign out" } }
                } @else {
                    a href=(format!("{root}login")) { "Sign in" }
                    a href=(format!("{root}signup")) { "Sign up" }
                }
            }
        }
    };
    whole(&root, title, nav, body)
}

/// A page that says nothing of who is signed in.
pub(crate) fn bare(path: &str, title: &str, body: Markup) -> Response {
    let nav = html! { header { nav aria-label="Desk" { strong { "Desk" } } } };
    whole(&root(path), title, nav, body)
}

fn whole(root: &str, title: &str, nav: Markup, body: Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Desk" }
                link rel="stylesheet" href=(format!("{root}style.css"));
            }
            body { (nav) main { (body) } }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, markup.into_string()).into_response()
}

/// Sends the browser on, after a form. The host puts its prefix before the path.
pub(crate) fn go(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}

/// Milliseconds since 1970 as `2026-11-21 13:45`.
pub(crate) fn time(at: i64) -> String {
    let minutes = at.div_euclid(60_000);
    let (days, minute) = (minutes.div_euclid(1_440), minutes.rem_euclid(1_440));
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}",
        minute / 60,
        minute % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told() {
        assert_eq!(time(0), "1970-01-01 00:00");
        assert_eq!(time(1_795_270_500_000), "2026-11-21 14:15");
        assert_eq!(time(951_782_400_000), "2000-02-29 00:00");
    }

    #[test]
    fn the_root_is_found_from_everywhere() {
        assert_eq!(root("/"), "");
        assert_eq!(root("/tickets/new"), "../");
        assert_eq!(root("/admin/people/1"), "../../");
    }
}
