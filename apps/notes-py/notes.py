"""Notes in the app's database: SQL for each engine that it may have."""

from wit_world.imports.database import DataSource
from wit_world.imports.sql import Engine, Value_Text

# What a note's key is, engine by engine; MySQL and MariaDB tell names apart by case only if told to.
KEYS = {
    "sqlite": "INTEGER PRIMARY KEY",
    "postgres": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "mysql": "BIGINT AUTO_INCREMENT PRIMARY KEY",
    "mariadb": "BIGINT AUTO_INCREMENT PRIMARY KEY",
}
NAMES = {
    "sqlite": "TEXT",
    "postgres": "TEXT",
    "mysql": "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "mariadb": "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
}


def migrations(engine: str) -> list[tuple[str, str]]:
    columns = f"id {KEYS[engine]}, author {NAMES[engine]} NOT NULL, body TEXT NOT NULL"
    return [
        ("0001_notes", f"CREATE TABLE notes ({columns})"),
        ("0002_notes_by_author", "CREATE INDEX notes_by_author ON notes (author, id)"),
    ]


def list_for(name: str) -> list[dict]:
    """The newest first."""
    with DataSource.open("default") as source:
        first, _ = placeholders(source)
        sql = f"SELECT id, body FROM notes WHERE author = {first} ORDER BY id DESC LIMIT 100"
        found = source.query(sql, [Value_Text(name)])
    return [{"id": id.value, "text": body.value} for id, body in found.rows]


def add(name: str, body: str) -> None:
    with DataSource.open("default") as source:
        first, second = placeholders(source)
        sql = f"INSERT INTO notes (author, body) VALUES ({first}, {second})"
        source.execute(sql, [Value_Text(name), Value_Text(body)])


def placeholders(source: DataSource) -> tuple[str, str]:
    """PostgreSQL numbers its parameters; the others take them in order."""
    return ("$1", "$2") if source.engine() == Engine.POSTGRES else ("?", "?")
