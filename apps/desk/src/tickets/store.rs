//! Tickets in the database.

use super::{PAGE, Search, State};
use crate::people::{Person, insert, now};
use crate::problem::Problem;
use crate::webhook;
use lodge_sdk::db::{Database, Error, FromRow, Value, params};
use serde::{Deserialize, Serialize};

const LONGEST_TITLE: usize = 200;
const LONGEST_TEXT: usize = 20_000;

/// A ticket with its author's name.
#[derive(Debug, FromRow, Serialize)]
pub(crate) struct Ticket {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) state: String,
    pub(crate) author: String,
    pub(crate) created_at: i64,
    pub(crate) changed_at: i64,
}

/// A comment with its author's name.
#[derive(Debug, FromRow)]
pub(crate) struct Comment {
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: i64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NewTicket {
    title: String,
    body: String,
}

const TICKETS: &str = "SELECT t.id, t.title, t.body, t.state, p.name AS author, t.created_at, t.changed_at \
                       FROM tickets t JOIN people p ON p.id = t.author";

/// The newest changed first, and whether there are more.
pub(crate) async fn search(db: &Database, search: &Search) -> Result<(Vec<Ticket>, bool), Error> {
    let mut sql = format!("{TICKETS} WHERE 1 = 1");
    let mut values: Vec<Value> = Vec::new();
    let wanted = search.q.trim().to_lowercase();
    if !wanted.is_empty() {
        sql += " AND (LOWER(t.title) LIKE ? ESCAPE '!' OR LOWER(t.body) LIKE ? ESCAPE '!')";
        let escaped = wanted
            .replace('!', "!!")
            .replace('%', "!%")
            .replace('_', "!_");
        let pattern = format!("%{escaped}%");
        values.extend(params![&pattern, &pattern]);
    }
    if let Some(state) = State::ALL.iter().find(|state| state.name() == search.state) {
        sql += " AND t.state = ?";
        values.push(state.name().into());
    }
    sql += " ORDER BY t.changed_at DESC, t.id DESC LIMIT ? OFFSET ?";
    let page = search.page.unwrap_or(1).clamp(1, 1_000_000);
    values.extend(params![PAGE + 1, (page - 1) * PAGE]);
    let mut tickets = db.query(&sql, values).await?;
    let more = tickets.len() as i64 > PAGE;
    tickets.truncate(PAGE as usize);
    Ok((tickets, more))
}

pub(crate) async fn get(db: &Database, id: i64) -> Result<Ticket, Problem> {
    let sql = format!("{TICKETS} WHERE t.id = ?");
    let found = db.query_optional(&sql, params![id]).await?;
    found.ok_or(Problem::NotFound)
}

pub(crate) async fn comments(db: &Database, ticket: i64) -> Result<Vec<Comment>, Error> {
    let sql = "SELECT p.name AS author, c.body, c.created_at FROM comments c JOIN people p ON p.id = c.author \
               WHERE c.ticket = ? ORDER BY c.id LIMIT 1000";
    db.query(sql, params![ticket]).await
}

/// How many there are of each state.
pub(crate) async fn counts(db: &Database) -> Result<Vec<(String, i64)>, Error> {
    let sql = "SELECT state, count(*) FROM tickets GROUP BY state ORDER BY state";
    db.query(sql, params![]).await
}

/// Adds a ticket, and tells whoever wants to know.
pub(crate) async fn add(person: &Person, ticket: NewTicket) -> Result<i64, Problem> {
    let (title, body) = (ticket.title.trim(), ticket.body.trim());
    if title.is_empty() || title.chars().count() > LONGEST_TITLE {
        return Err(Problem::Invalid(
            "A ticket needs a title, of 200 characters at most.".into(),
        ));
    }
    check_text(body)?;
    let db = Database::open("default").await?;
    let id = db
        .transaction(async |tx| {
            let sql = "INSERT INTO tickets (title, body, state, author, created_at, changed_at) VALUES (?, ?, ?, ?, ?, ?)";
            let at = now();
            let values = params![title, body, State::Open.name(), person.id, at, at];
            insert(tx, sql, values).await
        })
        .await?;
    webhook::tell("ticket.created", id, &person.name);
    Ok(id)
}

pub(crate) async fn add_comment(person: &Person, ticket: i64, body: &str) -> Result<(), Problem> {
    check_text(body)?;
    let db = Database::open("default").await?;
    get(&db, ticket).await?;
    db.transaction(async |tx| {
        let sql = "INSERT INTO comments (ticket, author, body, created_at) VALUES (?, ?, ?, ?)";
        let at = now();
        tx.execute(sql, params![ticket, person.id, body, at])
            .await?;
        let sql = "UPDATE tickets SET changed_at = ? WHERE id = ?";
        tx.execute(sql, params![at, ticket]).await?;
        Ok(())
    })
    .await
}

pub(crate) async fn set_state(ticket: i64, state: State) -> Result<(), Problem> {
    let db = Database::open("default").await?;
    let sql = "UPDATE tickets SET state = ?, changed_at = ? WHERE id = ?";
    let done = db
        .execute(sql, params![state.name(), now(), ticket])
        .await?;
    match done.rows_affected {
        0 => Err(Problem::NotFound),
        _ => Ok(()),
    }
}

fn check_text(text: &str) -> Result<(), Problem> {
    if text.is_empty() || text.len() > LONGEST_TEXT {
        return Err(Problem::Invalid(
            "Write something, of 20,000 characters at most.".into(),
        ));
    }
    Ok(())
}
