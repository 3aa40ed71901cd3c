#!/bin/sh
# Run by the postgres image once, when its volume is empty: a database that only the supervisor enters,
# and a user who may make databases for apps (and is no superuser).
set -eu
psql --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres << 'SQL'
\getenv supervisor SUPERVISOR_DB_PASSWORD
\getenv apps APPS_DB_PASSWORD
CREATE ROLE lodge_supervisor LOGIN PASSWORD :'supervisor';
CREATE DATABASE lodge_supervisor OWNER lodge_supervisor;
REVOKE ALL ON DATABASE lodge_supervisor FROM PUBLIC;
CREATE ROLE lodge_apps LOGIN CREATEDB CREATEROLE PASSWORD :'apps';
CREATE DATABASE lodge_apps OWNER lodge_apps;
REVOKE ALL ON DATABASE lodge_apps FROM PUBLIC;
SQL
