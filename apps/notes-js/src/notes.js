// Notes in the app's database: SQL for each engine that it may have.

import { DataSource } from "lodge:host/database@0.1.0";

// What a note's key is, engine by engine; MySQL and MariaDB tell names apart by case only if told to.
const KEYS = {
  sqlite: "INTEGER PRIMARY KEY",
  postgres: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
  mysql: "BIGINT AUTO_INCREMENT PRIMARY KEY",
  mariadb: "BIGINT AUTO_INCREMENT PRIMARY KEY",
};
const NAMES = {
  sqlite: "TEXT",
  postgres: "TEXT",
  mysql: "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
  mariadb: "VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
};

export function listMigrations(engine) {
  return [
    {
      id: "0001_notes",
      sql: `CREATE TABLE notes (id ${KEYS[engine]}, author ${NAMES[engine]} NOT NULL, body TEXT NOT NULL)`,
    },
    { id: "0002_notes_by_author", sql: "CREATE INDEX notes_by_author ON notes (author, id)" },
  ];
}

// The newest first.
export function listFor(name) {
  const source = DataSource.open("default");
  const [first] = placeholders(source);
  const sql = `SELECT id, body FROM notes WHERE author = ${first} ORDER BY id DESC LIMIT 100`;
  const { rows } = source.query(sql, [text(name)]);
  // A 64-bit number comes as a BigInt, which JSON has not.
  return rows.map(([id, body]) => ({ id: Number(id.val), text: body.val }));
}

export function add(name, body) {
  const source = DataSource.open("default");
  const [first, second] = placeholders(source);
  source.execute(`INSERT INTO notes (author, body) VALUES (${first}, ${second})`, [text(name), text(body)]);
}

// PostgreSQL numbers its parameters; the others take them in order.
function placeholders(source) {
  return source.engine() === "postgres" ? ["$1", "$2"] : ["?", "?"];
}

function text(val) {
  return { tag: "text", val };
}
