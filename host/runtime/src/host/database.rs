//! `lodge:host/database`: databases for components without asynchronous features. A call suspends
//! the guest's fiber, never a thread.

use super::sync::lodge::host::database as wit;
use super::sync::lodge::host::sql::{
    Access, Column, Engine, Error, Isolation, Outcome, Row, Rows, Value,
};
use super::{View, sql};
use crate::memory::Hold;
use futures::StreamExt;
use lodge_model::{Cursor, DataSource, SqlError, Transaction};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};
use wasmtime::Result;
use wasmtime::component::Resource;

/// A data source that a guest opened.
pub struct Source(pub(super) Arc<dyn DataSource>);

/// A transaction that a guest began; empty once it has ended. Statements follow one another.
#[derive(Clone)]
pub struct OpenTransaction(pub(super) Arc<Mutex<Option<Box<dyn Transaction>>>>);

impl OpenTransaction {
    pub(super) fn new(transaction: Box<dyn Transaction>) -> Self {
        Self(Arc::new(Mutex::new(Some(transaction))))
    }

    pub(super) async fn query(
        &self,
        text: &str,
        parameters: Vec<Value>,
    ) -> std::result::Result<Rows, Error> {
        let mut slot = self.0.lock().await;
        let rows = open(&mut slot)?
            .query(text, sql::parameters(parameters))
            .await?;
        Ok(sql::rows(rows))
    }

    pub(super) async fn execute(
        &self,
        text: &str,
        parameters: Vec<Value>,
    ) -> std::result::Result<Outcome, Error> {
        let mut slot = self.0.lock().await;
        let outcome = open(&mut slot)?
            .execute(text, sql::parameters(parameters))
            .await?;
        Ok(sql::outcome(outcome))
    }

    pub(super) async fn end(&self, commits: bool) -> std::result::Result<(), Error> {
        let transaction = self.0.lock().await.take().ok_or(SqlError::Closed)?;
        if commits {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(())
    }
}

fn open<'a>(
    slot: &'a mut MutexGuard<'_, Option<Box<dyn Transaction>>>,
) -> std::result::Result<&'a mut Box<dyn Transaction>, SqlError> {
    slot.as_mut().ok_or(SqlError::Closed)
}

/// A result that a guest reads. Rows of a batch that were not asked for yet wait here.
pub struct OpenCursor {
    cursor: Cursor,
    waiting: VecDeque<lodge_model::Row>,
}

impl OpenCursor {
    /// At most `limit` rows; none: the end.
    async fn next(&mut self, limit: usize) -> std::result::Result<Vec<Row>, SqlError> {
        if self.waiting.is_empty()
            && let Some(batch) = self.cursor.batches.next().await
        {
            self.waiting = batch?.into();
        }
        if limit >= self.waiting.len() {
            let batch = Vec::from(std::mem::take(&mut self.waiting));
            return Ok(batch.into_iter().map(sql::row).collect());
        }
        Ok(self.waiting.drain(..limit).map(sql::row).collect())
    }
}

impl View<'_> {
    /// Charges what is held of a statement until it has ended.
    fn hold_statement(
        &self,
        text: &str,
        parameters: &[Value],
    ) -> std::result::Result<Option<Hold>, Error> {
        self.hold(sql::size(text, parameters))
            .map_err(Error::LimitExceeded)
    }
}

impl wit::Host for View<'_> {}

impl wit::HostDataSource for View<'_> {
    async fn open(&mut self, name: String) -> Result<std::result::Result<Resource<Source>, Error>> {
        match self.capabilities.databases.open(&name).await {
            Ok(source) => Ok(Ok(self.table.push(Source(source))?)),
            Err(e) => Ok(Err(e.into())),
        }
    }

    async fn engine(&mut self, source: Resource<Source>) -> Result<Engine> {
        Ok(sql::engine(self.table.get(&source)?.0.engine()))
    }

    async fn query(
        &mut self,
        source: Resource<Source>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<std::result::Result<Rows, Error>> {
        let _hold = match self.hold_statement(&text, &parameters) {
            Ok(hold) => hold,
            Err(e) => return Ok(Err(e)),
        };
        let source = &self.table.get(&source)?.0;
        let rows = source.query(&text, sql::parameters(parameters)).await;
        Ok(rows.map(sql::rows).map_err(Error::from))
    }

    async fn execute(
        &mut self,
        source: Resource<Source>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<std::result::Result<Outcome, Error>> {
        let _hold = match self.hold_statement(&text, &parameters) {
            Ok(hold) => hold,
            Err(e) => return Ok(Err(e)),
        };
        let source = &self.table.get(&source)?.0;
        let outcome = source.execute(&text, sql::parameters(parameters)).await;
        Ok(outcome.map(sql::outcome).map_err(Error::from))
    }

    async fn read(
        &mut self,
        source: Resource<Source>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<std::result::Result<Resource<OpenCursor>, Error>> {
        let _hold = match self.hold_statement(&text, &parameters) {
            Ok(hold) => hold,
            Err(e) => return Ok(Err(e)),
        };
        let source = &self.table.get(&source)?.0;
        match source.read(&text, sql::parameters(parameters)).await {
            Ok(cursor) => Ok(Ok(self.table.push(OpenCursor {
                cursor,
                waiting: VecDeque::new(),
            })?)),
            Err(e) => Ok(Err(e.into())),
        }
    }

    async fn begin(
        &mut self,
        source: Resource<Source>,
        access: Access,
        isolation: Isolation,
    ) -> Result<std::result::Result<Resource<OpenTransaction>, Error>> {
        let source = &self.table.get(&source)?.0;
        match source
            .begin(sql::access(access), sql::isolation(isolation))
            .await
        {
            Ok(transaction) => Ok(Ok(self.table.push(OpenTransaction::new(transaction))?)),
            Err(e) => Ok(Err(e.into())),
        }
    }

    async fn drop(&mut self, source: Resource<Source>) -> Result<()> {
        self.table.delete(source)?;
        Ok(())
    }
}

impl wit::HostTransaction for View<'_> {
    async fn query(
        &mut self,
        transaction: Resource<OpenTransaction>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<std::result::Result<Rows, Error>> {
        let _hold = match self.hold_statement(&text, &parameters) {
            Ok(hold) => hold,
            Err(e) => return Ok(Err(e)),
        };
        Ok(self.table.get(&transaction)?.query(&text, parameters).await)
    }

    async fn execute(
        &mut self,
        transaction: Resource<OpenTransaction>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<std::result::Result<Outcome, Error>> {
        let _hold = match self.hold_statement(&text, &parameters) {
            Ok(hold) => hold,
            Err(e) => return Ok(Err(e)),
        };
        let transaction = self.table.get(&transaction)?;
        Ok(transaction.execute(&text, parameters).await)
    }

    async fn commit(
        &mut self,
        transaction: Resource<OpenTransaction>,
    ) -> Result<std::result::Result<(), Error>> {
        Ok(self.table.get(&transaction)?.end(true).await)
    }

    async fn rollback(
        &mut self,
        transaction: Resource<OpenTransaction>,
    ) -> Result<std::result::Result<(), Error>> {
        Ok(self.table.get(&transaction)?.end(false).await)
    }

    async fn drop(&mut self, transaction: Resource<OpenTransaction>) -> Result<()> {
        self.table.delete(transaction)?;
        Ok(())
    }
}

impl wit::HostCursor for View<'_> {
    async fn columns(&mut self, cursor: Resource<OpenCursor>) -> Result<Vec<Column>> {
        let columns = self.table.get(&cursor)?.cursor.columns.clone();
        Ok(sql::columns(columns))
    }

    async fn next(
        &mut self,
        cursor: Resource<OpenCursor>,
        limit: u32,
    ) -> Result<std::result::Result<Vec<Row>, Error>> {
        let cursor = self.table.get_mut(&cursor)?;
        Ok(cursor
            .next(limit.max(1) as usize)
            .await
            .map_err(Error::from))
    }

    async fn drop(&mut self, cursor: Resource<OpenCursor>) -> Result<()> {
        self.table.delete(cursor)?;
        Ok(())
    }
}
