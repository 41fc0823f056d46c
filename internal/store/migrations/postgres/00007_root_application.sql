-- +goose Up
ALTER TABLE instance ADD COLUMN root_application TEXT NOT NULL DEFAULT '';
