//! `lodge:host/database-async`: databases for components of WASI 0.3. Many statements of one
//! instance run at once, and rows come as a stream: the next batch is read when the guest has taken
//! the last.

use super::concurrent::lodge::host::database_async as wit;
use super::database::{OpenTransaction, Source};
use super::sync::lodge::host::sql::{
    Access as SqlAccess, Column, Engine, Error, Isolation, Outcome, Row, Rows, Value,
};
use super::{HasView, View, sql};
use crate::memory::Hold;
use futures::FutureExt;
use lodge_model::{DataSource, SqlError};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime::component::{
    Access, Accessor, Destination, FutureReader, Resource, StreamProducer, StreamReader,
    StreamResult, VecBuffer,
};
use wasmtime::{Result, StoreContextMut};

type Answer<T> = std::result::Result<T, Error>;
type Ended = std::result::Result<(), Error>;

type Taken<R> = std::result::Result<(R, Hold), Error>;

/// The source, and what is held of a statement until it has ended.
fn source<T: Send>(
    accessor: &Accessor<T, HasView>,
    source: &Resource<Source>,
    text: &str,
    parameters: &[Value],
) -> Result<Taken<Arc<dyn DataSource>>> {
    accessor.with(|mut store| {
        let view = store.get();
        let source = view.table.get(source)?.0.clone();
        Ok(hold(&view, text, parameters).map(|hold| (source, hold)))
    })
}

/// The transaction, and what is held of a statement until it has ended.
fn transaction<T: Send>(
    accessor: &Accessor<T, HasView>,
    transaction: &Resource<OpenTransaction>,
    text: &str,
    parameters: &[Value],
) -> Result<Taken<OpenTransaction>> {
    accessor.with(|mut store| {
        let view = store.get();
        let transaction = view.table.get(transaction)?.clone();
        Ok(hold(&view, text, parameters).map(|hold| (transaction, hold)))
    })
}

fn ending<T: Send>(
    accessor: &Accessor<T, HasView>,
    transaction: &Resource<OpenTransaction>,
) -> Result<OpenTransaction> {
    accessor.with(|mut store| Ok(store.get().table.get(transaction)?.clone()))
}

fn hold(view: &View<'_>, text: &str, parameters: &[Value]) -> std::result::Result<Hold, Error> {
    view.hold_one_of_many(sql::size(text, parameters))
        .map_err(Error::LimitExceeded)
}

impl wit::Host for View<'_> {}
impl wit::HostDataSource for View<'_> {}
impl wit::HostTransaction for View<'_> {}

impl<T: Send> wit::HostDataSourceWithStore<T> for HasView {
    async fn open(accessor: &Accessor<T, Self>, name: String) -> Result<Answer<Resource<Source>>> {
        let databases = accessor.with(|mut store| store.get().capabilities.databases.clone());
        match databases.open(&name).await {
            Ok(source) => {
                Ok(Ok(accessor.with(|mut store| {
                    store.get().table.push(Source(source))
                })?))
            }
            Err(e) => Ok(Err(e.into())),
        }
    }

    fn engine(mut store: Access<'_, T, Self>, this: Resource<Source>) -> Result<Engine> {
        Ok(sql::engine(store.get().table.get(&this)?.0.engine()))
    }

    async fn query(
        accessor: &Accessor<T, Self>,
        this: Resource<Source>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<Answer<Rows>> {
        let (source, _hold) = match source(accessor, &this, &text, &parameters)? {
            Ok(taken) => taken,
            Err(e) => return Ok(Err(e)),
        };
        let rows = source.query(&text, sql::parameters(parameters)).await;
        Ok(rows.map(sql::rows).map_err(Error::from))
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        this: Resource<Source>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<Answer<Outcome>> {
        let (source, _hold) = match source(accessor, &this, &text, &parameters)? {
            Ok(taken) => taken,
            Err(e) => return Ok(Err(e)),
        };
        let outcome = source.execute(&text, sql::parameters(parameters)).await;
        Ok(outcome.map(sql::outcome).map_err(Error::from))
    }

    async fn read(
        accessor: &Accessor<T, Self>,
        this: Resource<Source>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<Answer<(Vec<Column>, StreamReader<Row>, FutureReader<Ended>)>> {
        let (source, _hold) = match source(accessor, &this, &text, &parameters)? {
            Ok(taken) => taken,
            Err(e) => return Ok(Err(e)),
        };
        let cursor = match source.read(&text, sql::parameters(parameters)).await {
            Ok(cursor) => cursor,
            Err(e) => return Ok(Err(e.into())),
        };
        let columns = sql::columns(cursor.columns);
        let (tell, told) = oneshot::channel();
        let rows = RowStream {
            batches: cursor.batches,
            tell: Some(tell),
        };
        accessor.with(|mut store| {
            let rows = StreamReader::new(&mut store, rows)?;
            let ended = async move { told.await.unwrap_or(Ok(())) };
            let ended = ended.map(Result::<Ended>::Ok);
            Ok(Ok((columns, rows, FutureReader::new(&mut store, ended)?)))
        })
    }

    async fn begin(
        accessor: &Accessor<T, Self>,
        this: Resource<Source>,
        access: SqlAccess,
        isolation: Isolation,
    ) -> Result<Answer<Resource<OpenTransaction>>> {
        let (source, _hold) = match source(accessor, &this, "", &[])? {
            Ok(taken) => taken,
            Err(e) => return Ok(Err(e)),
        };
        match source
            .begin(sql::access(access), sql::isolation(isolation))
            .await
        {
            Ok(transaction) => {
                let transaction = OpenTransaction::new(transaction);
                Ok(Ok(
                    accessor.with(|mut store| store.get().table.push(transaction))?
                ))
            }
            Err(e) => Ok(Err(e.into())),
        }
    }

    fn drop(mut store: Access<'_, T, Self>, this: Resource<Source>) -> Result<()> {
        store.get().table.delete(this)?;
        Ok(())
    }
}

impl<T: Send> wit::HostTransactionWithStore<T> for HasView {
    async fn query(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenTransaction>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<Answer<Rows>> {
        match transaction(accessor, &this, &text, &parameters)? {
            Ok((transaction, _hold)) => Ok(transaction.query(&text, parameters).await),
            Err(e) => Ok(Err(e)),
        }
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenTransaction>,
        text: String,
        parameters: Vec<Value>,
    ) -> Result<Answer<Outcome>> {
        match transaction(accessor, &this, &text, &parameters)? {
            Ok((transaction, _hold)) => Ok(transaction.execute(&text, parameters).await),
            Err(e) => Ok(Err(e)),
        }
    }

    async fn commit(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenTransaction>,
    ) -> Result<Answer<()>> {
        Ok(ending(accessor, &this)?.end(true).await)
    }

    async fn rollback(
        accessor: &Accessor<T, Self>,
        this: Resource<OpenTransaction>,
    ) -> Result<Answer<()>> {
        Ok(ending(accessor, &this)?.end(false).await)
    }

    fn drop(mut store: Access<'_, T, Self>, this: Resource<OpenTransaction>) -> Result<()> {
        store.get().table.delete(this)?;
        Ok(())
    }
}

/// Hands a guest its rows, a batch at a time.
struct RowStream {
    batches:
        futures::stream::BoxStream<'static, std::result::Result<Vec<lodge_model::Row>, SqlError>>,
    /// Takes how it ended.
    tell: Option<oneshot::Sender<Ended>>,
}

impl RowStream {
    fn end(&mut self, how: Ended) -> StreamResult {
        if let Some(tell) = self.tell.take() {
            // A guest that does not ask how it ended is free not to.
            let _ = tell.send(how);
        }
        StreamResult::Dropped
    }
}

impl<D> StreamProducer<D> for RowStream {
    type Item = Row;
    type Buffer = VecBuffer<Row>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Row, VecBuffer<Row>>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if destination.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        Poll::Ready(Ok(match self.batches.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(batch))) => {
                let rows: Vec<Row> = batch.into_iter().map(sql::row).collect();
                destination.set_buffer(rows.into());
                StreamResult::Completed
            }
            Poll::Ready(Some(Err(e))) => self.end(Err(e.into())),
            Poll::Ready(None) => self.end(Ok(())),
            Poll::Pending if finish => StreamResult::Cancelled,
            Poll::Pending => return Poll::Pending,
        }))
    }
}
