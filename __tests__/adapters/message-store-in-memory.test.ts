import { inMemoryMessageStore } from "../support/in-memory-message-store.ts";
import { messageStoreContract } from "./message-store.contract.ts";

// The store of the tests of the core keeps the contract, so that what they show holds with the table too.
messageStoreContract("in memory", async () => {
  const store = inMemoryMessageStore();
  return {
    store,
    put: async (item) => void store.items.set(String(item.application_message_id), structuredClone(item)),
    get: async (id) => structuredClone(store.items.get(id)),
  };
});
