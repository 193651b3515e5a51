ALTER TABLE sessions ADD COLUMN opened_by_link boolean NOT NULL DEFAULT FALSE;
