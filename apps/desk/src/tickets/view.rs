//! Tickets as pages.

use super::store::{Comment, Ticket};
use super::{Search, State};
use crate::page::time;
use maud::{Markup, html};

pub(super) fn list(search: &Search, tickets: &[Ticket], more: bool) -> Markup {
    let page = search.page.unwrap_or(1).max(1);
    let to = |page: i64| {
        format!(
            "?q={}&state={}&page={page}",
            encoded(&search.q),
            encoded(&search.state)
        )
    };
    html! {
        h1 { "Tickets" }
        form .row method="get" action="./" role="search" {
            label { "Search" input type="search" name="q" value=(search.q) placeholder="Words of a title or a text"; }
            label { "State"
                select name="state" {
                    option value="" { "all" }
                    @for state in State::ALL {
                        option value=(state.name()) selected[state.name() == search.state] { (state.name()) }
                    }
                }
            }
            button { "Search" }
        }
        @if tickets.is_empty() {
            p .card.empty { "No tickets here. " a href="tickets/new" { "Write one" } "." }
        } @else {
            table {
                thead { tr { th { "#" } th { "Title" } th { "State" } th .wide { "Author" } th .wide { "Changed (UTC)" } } }
                tbody {
                    @for ticket in tickets {
                        tr {
                            td { (ticket.id) }
                            td { a href=(format!("tickets/{}", ticket.id)) { (ticket.title) } }
                            td { (state_mark(&ticket.state)) }
                            td .wide { (ticket.author) }
                            td .wide { (time(ticket.changed_at)) }
                        }
                    }
                }
            }
        }
        nav .pages aria-label="Pages" {
            @if page > 1 { a href=(to(page - 1)) rel="prev" { "Newer" } } @else { span {} }
            @if more { a href=(to(page + 1)) rel="next" { "Older" } }
        }
    }
}

pub(super) fn new_form() -> Markup {
    html! {
        h1 { "New ticket" }
        form .card method="post" action="../tickets" {
            label { "Title" input name="title" required maxlength="200" autofocus; }
            label { "What is it about?" textarea name="body" required maxlength="20000" {} }
            button { "Send" }
        }
    }
}

pub(super) fn ticket(ticket: &Ticket, comments: &[Comment]) -> Markup {
    html! {
        h1 { (ticket.title) }
        p .soft {
            (state_mark(&ticket.state)) " #" (ticket.id) " by " (ticket.author) ", " (time(ticket.created_at)) " UTC"
        }
        div .card { p .body { (ticket.body) } }
        form .row method="post" action=(format!("{}/state", ticket.id)) {
            @for state in State::ALL {
                @if state.name() != ticket.state {
                    button .quiet name="state" value=(state.name()) { "Mark as " (state.name()) }
                }
            }
        }
        h2 { "Comments" }
        @for comment in comments {
            div .card.comment {
                p .soft { (comment.author) ", " (time(comment.created_at)) " UTC" }
                p .body { (comment.body) }
            }
        }
        @if comments.is_empty() { p .soft { "Nobody has said anything yet." } }
        form .card method="post" action=(format!("{}/comments", ticket.id)) {
            label { "Comment" textarea name="body" required maxlength="20000" {} }
            button { "Comment" }
        }
    }
}

fn state_mark(state: &str) -> Markup {
    html! { span class=(format!("state {state}")) { (state) } }
}

/// Percent-encodes all but unreserved characters (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte.into())
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
