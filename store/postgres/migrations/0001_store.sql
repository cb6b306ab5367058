-- What the embedded index keeps in its two files, and what a crawl needs beside it.

-- The number of the next record. Who writes holds this row locked, so that numbers
-- are given in the order of commits.
CREATE TABLE weightprint.head (single boolean PRIMARY KEY DEFAULT true CHECK (single), next bigint NOT NULL);
INSERT INTO weightprint.head VALUES (true, 0);

-- Fingerprint files by their digest.
CREATE TABLE weightprint.fingerprints (digest bytea PRIMARY KEY, file bytea NOT NULL);

-- Index records: docs/FORMAT.md says what the summaries hold. Names are bytes, as
-- they need not be UTF-8. Tokens are null where there are none.
CREATE TABLE weightprint.entries (
	number      bigint PRIMARY KEY,
	name        bytea NOT NULL,
	content     bytea NOT NULL,
	fingerprint bytea NOT NULL REFERENCES weightprint.fingerprints (digest),
	quarantined boolean NOT NULL,
	length      bigint NOT NULL,
	dim         bigint NOT NULL,
	hidden      bigint NOT NULL,
	units0      bit(1024) NOT NULL,
	units1      bit(1024) NOT NULL,
	units2      bit(1024) NOT NULL,
	residual    bit(1024) NOT NULL,
	places0     int[] NOT NULL,
	places1     int[] NOT NULL,
	profiles0   bigint[] NOT NULL,
	profiles1   bigint[] NOT NULL,
	tokens      bit(512),
	UNIQUE (content, name)
);
CREATE INDEX entries_name ON weightprint.entries (name);
CREATE INDEX entries_fingerprint ON weightprint.entries (fingerprint);
-- Bit strings stay in the row: a scan must not fetch them from elsewhere.
ALTER TABLE weightprint.entries
	ALTER units0 SET STORAGE PLAIN, ALTER units1 SET STORAGE PLAIN, ALTER units2 SET STORAGE PLAIN,
	ALTER residual SET STORAGE PLAIN, ALTER tokens SET STORAGE PLAIN;

-- Relations that were found between two contents.
CREATE TABLE weightprint.edges (
	a        bytea NOT NULL,
	b        bytea NOT NULL,
	relation text NOT NULL,
	log10p   double precision,
	evidence jsonb NOT NULL,
	PRIMARY KEY (a, b),
	CHECK (a < b)
);
CREATE INDEX edges_b ON weightprint.edges (b);

-- References to be fingerprinted. A running job whose lease has ended is free again.
CREATE TABLE weightprint.jobs (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	ref        text NOT NULL UNIQUE,
	state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'quarantined')),
	attempts   int NOT NULL DEFAULT 0,
	not_before timestamptz NOT NULL DEFAULT now(),
	lease      uuid,
	lease_ends timestamptz,
	error      text
);
CREATE INDEX jobs_open ON weightprint.jobs (id) WHERE state IN ('waiting', 'running');
