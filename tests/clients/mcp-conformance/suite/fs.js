// The suite's program imports globSync, which Node has since version 22, for a command these tests do not use.
export * from "node:fs";
export const globSync = () => {
  throw new Error("fs.globSync needs Node 22.");
};
